// A group on device memory by NCCL: one stream that follows the producer's and that
// the consumer's waits for. For the CUDA module only.
#pragma once

#include "nccl_communicator.h"

#include <lockstep/comm/group.h>

#include <nccl.h>

#include <functional>
#include <memory>

namespace lockstep::comm {

class NcclGroup final : public Group {
 public:
  // Collective.
  NcclGroup(gpu::Backend& backend,
            bool high_priority,
            const ncclUniqueId& id,
            const NcclCommunicator::Settings& settings);

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string backend() const override { return "nccl"; }
  std::shared_ptr<void> keep_mapped(void* memory, std::size_t size_bytes) override;
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
  using Call = std::function<ncclResult_t(ncclComm_t comm, cudaStream_t stream)>;
  std::unique_ptr<Work> launch(const char* verb,
                               std::size_t size_bytes,
                               gpu::StreamHandle ready,
                               const Call& call);

  gpu::Backend& backend_;
  int rank_;
  int size_;
  // Ends after the communicator, whose kernels run on it.
  std::unique_ptr<gpu::Stream> stream_;
  std::shared_ptr<NcclCommunicator> communicator_;
};

}  // namespace lockstep::comm
