#include "staged_group.h"

#include <lockstep/base/error.h>

#include <utility>

namespace lockstep::comm {
namespace {

// The host group's part plus the copy back to the device.
class StagedWork final : public Work {
 public:
  struct Parts {
    std::unique_ptr<gpu::PinnedBuffer> in;  // kept until the host group has read it
    std::unique_ptr<gpu::PinnedBuffer> out;
    void* device = nullptr;  // nullptr: nothing comes back
    std::size_t size_bytes = 0;
  };

  StagedWork(gpu::Backend& backend,
             gpu::StreamHandle copies,
             Parts parts,
             std::unique_ptr<Work> host)
      : backend_(backend), copies_(copies), parts_(std::move(parts)), host_(std::move(host)) {}

  ~StagedWork() override {
    if (copied_) copied_->synchronize();  // the pinned buffer is still read by the copy
  }
  StagedWork(const StagedWork&) = delete;
  StagedWork& operator=(const StagedWork&) = delete;

  bool done() override { return host_->done() && (!copied_ || copied_->done()); }

  void wait(gpu::StreamHandle stream) override {
    host_->wait({});
    if (parts_.device == nullptr) return;
    if (!copied_) {
      gpu::PinnedBuffer& from = parts_.out ? *parts_.out : *parts_.in;
      backend_.copy_to_device_async(parts_.device, from.data(), parts_.size_bytes, copies_);
      copied_ = backend_.make_event(false);
      copied_->record(copies_);
    }
    copied_->make_wait(stream);
  }

  double busy_s() override { return host_->busy_s(); }

 private:
  gpu::Backend& backend_;
  gpu::StreamHandle copies_;
  Parts parts_;
  std::unique_ptr<Work> host_;
  std::unique_ptr<gpu::Event> copied_;
};

}  // namespace

StagedGroup::StagedGroup(gpu::Backend& backend, std::unique_ptr<Group> host)
    : backend_(backend), host_(std::move(host)), copies_(backend.make_stream(true)) {}

// Host memory that holds what `ready` leaves in `from`.
std::unique_ptr<gpu::PinnedBuffer> StagedGroup::stage(const void* from,
                                                      std::size_t size_bytes,
                                                      gpu::StreamHandle ready) {
  auto buffer = backend_.make_pinned(size_bytes);
  auto produced = backend_.make_event(false);
  produced->record(ready);
  produced->make_wait(copies_->handle());
  backend_.copy_to_host_async(buffer->data(), from, size_bytes, copies_->handle());
  backend_.synchronize(copies_->handle());
  return buffer;
}

std::unique_ptr<Work> StagedGroup::all_reduce_async(
    void* buffer, std::size_t count, DType type, ReduceOp op, gpu::StreamHandle ready) {
  const std::size_t bytes = count * size_bytes(type);
  StagedWork::Parts parts{stage(buffer, bytes, ready), nullptr, buffer, bytes};
  auto work = host_->all_reduce_async(parts.in->data(), count, type, op, {});
  return std::make_unique<StagedWork>(
      backend_, copies_->handle(), std::move(parts), std::move(work));
}

std::unique_ptr<Work> StagedGroup::broadcast_async(
    void* buffer, std::size_t count, DType type, int root, gpu::StreamHandle ready) {
  const std::size_t bytes = count * size_bytes(type);
  StagedWork::Parts parts{stage(buffer, bytes, ready), nullptr, buffer, bytes};
  auto work = host_->broadcast_async(parts.in->data(), count, type, root, {});
  return std::make_unique<StagedWork>(
      backend_, copies_->handle(), std::move(parts), std::move(work));
}

std::unique_ptr<Work> StagedGroup::all_gather_async(
    const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle ready) {
  const std::size_t bytes = count * size_bytes(type);
  const std::size_t total = bytes * static_cast<std::size_t>(size());
  StagedWork::Parts parts{stage(in, bytes, ready), backend_.make_pinned(total), out, total};
  auto work = host_->all_gather_async(parts.in->data(), parts.out->data(), count, type, {});
  return std::make_unique<StagedWork>(
      backend_, copies_->handle(), std::move(parts), std::move(work));
}

std::unique_ptr<Work> StagedGroup::reduce_scatter_async(const void* in,
                                                        void* out,
                                                        std::size_t count,
                                                        DType type,
                                                        ReduceOp op,
                                                        gpu::StreamHandle ready) {
  const std::size_t bytes = count * size_bytes(type);
  const std::size_t total = bytes * static_cast<std::size_t>(size());
  StagedWork::Parts parts{stage(in, total, ready), backend_.make_pinned(bytes), out, bytes};
  auto work = host_->reduce_scatter_async(parts.in->data(), parts.out->data(), count, type, op, {});
  return std::make_unique<StagedWork>(
      backend_, copies_->handle(), std::move(parts), std::move(work));
}

std::unique_ptr<Work> StagedGroup::all_to_all_async(
    const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle ready) {
  const std::size_t total = count * size_bytes(type) * static_cast<std::size_t>(size());
  StagedWork::Parts parts{stage(in, total, ready), backend_.make_pinned(total), out, total};
  auto work = host_->all_to_all_async(parts.in->data(), parts.out->data(), count, type, {});
  return std::make_unique<StagedWork>(
      backend_, copies_->handle(), std::move(parts), std::move(work));
}

std::unique_ptr<Work> StagedGroup::send_async(
    const void* buffer, std::size_t count, DType type, int to, gpu::StreamHandle ready) {
  const std::size_t bytes = count * size_bytes(type);
  StagedWork::Parts parts{stage(buffer, bytes, ready), nullptr, nullptr, bytes};
  auto work = host_->send_async(parts.in->data(), count, type, to, {});
  return std::make_unique<StagedWork>(
      backend_, copies_->handle(), std::move(parts), std::move(work));
}

std::unique_ptr<Work> StagedGroup::receive_async(
    void* buffer, std::size_t count, DType type, int from, gpu::StreamHandle ready) {
  const std::size_t bytes = count * size_bytes(type);
  // The copy back must not overtake what `ready` still does with the buffer.
  auto produced = backend_.make_event(false);
  produced->record(ready);
  produced->make_wait(copies_->handle());
  StagedWork::Parts parts{nullptr, backend_.make_pinned(bytes), buffer, bytes};
  auto work = host_->receive_async(parts.out->data(), count, type, from, {});
  return std::make_unique<StagedWork>(
      backend_, copies_->handle(), std::move(parts), std::move(work));
}

}  // namespace lockstep::comm
