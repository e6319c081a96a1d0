// Collectives on device memory carried by a host group: copy to pinned memory, reduce on the host,
// copy back. For several ranks that share one GPU, where NCCL refuses to run.
#pragma once

#include <lockstep/comm/group.h>
#include <lockstep/gpu/device.h>

#include <memory>

namespace lockstep::comm {

// Stream: the copy out follows `ready`; the copy back runs on a stream of its own when wait() is
// called, and the consumer stream waits for it. Blocks: wait() blocks the host until the host
// group's part is done (a debugging path: correctness before overlap).
class StagedGroup final : public Group {
 public:
  StagedGroup(gpu::Backend& backend, std::unique_ptr<Group> host);

  int rank() const override { return host_->rank(); }
  int size() const override { return host_->size(); }
  std::string backend() const override { return "staged-" + host_->backend(); }
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
  std::unique_ptr<gpu::PinnedBuffer> stage(const void* from,
                                           std::size_t size_bytes,
                                           gpu::StreamHandle ready);

  gpu::Backend& backend_;
  std::unique_ptr<Group> host_;
  std::unique_ptr<gpu::Stream> copies_;
};

}  // namespace lockstep::comm
