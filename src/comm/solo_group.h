// A group of one rank: every collective is a copy or nothing. Works on host memory and, given the
// CUDA backend, on device memory.
#pragma once

#include <lockstep/comm/group.h>
#include <lockstep/gpu/device.h>

namespace lockstep::comm {

class SoloGroup final : public Group {
 public:
  explicit SoloGroup(gpu::Backend& backend) : backend_(backend) {}

  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::string backend() const override { return "solo"; }
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
  // A rank may not send to itself: both are programmer errors here.
  std::unique_ptr<Work> send_async(
      const void* buffer, std::size_t count, DType type, int to, gpu::StreamHandle ready) override;
  std::unique_ptr<Work> receive_async(
      void* buffer, std::size_t count, DType type, int from, gpu::StreamHandle ready) override;

 private:
  std::unique_ptr<Work> copy(const void* in,
                             void* out,
                             std::size_t size_bytes,
                             gpu::StreamHandle ready);

  gpu::Backend& backend_;
};

}  // namespace lockstep::comm
