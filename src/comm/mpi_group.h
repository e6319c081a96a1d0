// A group of ranks on one MPI communicator; every call becomes an operation of the engine.
#pragma once

#include "mpi_engine.h"
#include "scratch_pool.h"

#include <lockstep/comm/group.h>

#include <memory>

namespace lockstep::comm {

class MpiGroup final : public Group {
 public:
  // `comm` stays with the world, which frees it after the engine has ended.
  MpiGroup(std::shared_ptr<MpiEngine> engine, MPI_Comm comm, GroupPlace place);

  int rank() const override { return place_.rank; }
  int size() const override { return place_.size; }
  std::string backend() const override { return "mpi"; }
  std::unique_ptr<Work> all_reduce_async(
      void* buffer, std::size_t count, DType type, ReduceOp op, gpu::StreamHandle ready) override;
  std::unique_ptr<Work> broadcast_async(
      void* buffer, std::size_t count, DType type, int root, gpu::StreamHandle ready) override;
  std::unique_ptr<Work> all_gather_async(
      const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle ready) override;
  std::unique_ptr<Work> reduce_scatter_async(const void* in,
                                             void* out,
                                             std::size_t count,
                                             DType type,
                                             ReduceOp op,
                                             gpu::StreamHandle ready) override;
  std::unique_ptr<Work> all_to_all_async(
      const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle ready) override;
  std::unique_ptr<Work> send_async(
      const void* buffer, std::size_t count, DType type, int to, gpu::StreamHandle ready) override;
  std::unique_ptr<Work> receive_async(
      void* buffer, std::size_t count, DType type, int from, gpu::StreamHandle ready) override;

 private:
  template <class Start>
  std::unique_ptr<Work> post(const char* verb, std::size_t size_bytes, Start start);
  std::unique_ptr<Work> post(std::shared_ptr<MpiOperation> operation);
  int next_tag();

  std::shared_ptr<MpiEngine> engine_;
  std::shared_ptr<ScratchPool> pool_ = std::make_shared<ScratchPool>();
  MPI_Comm comm_;
  GroupPlace place_;
  int num_exchanges_ = 0;
};

}  // namespace lockstep::comm
