#include "solo_group.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

namespace lockstep::comm {
namespace {

// Nothing to wait for: the buffer is as the caller's own stream left it.
class DoneWork final : public Work {
 public:
  bool done() override { return true; }
  void wait(gpu::StreamHandle /*stream*/) override {}
  double busy_s() override { return 0; }
};

class EventWork final : public Work {
 public:
  explicit EventWork(std::unique_ptr<gpu::Event> event) : event_(std::move(event)) {}
  bool done() override { return event_->done(); }
  void wait(gpu::StreamHandle stream) override { event_->make_wait(stream); }
  double busy_s() override { return 0; }

 private:
  std::unique_ptr<gpu::Event> event_;
};

void check_root(int root) { LOCKSTEP_CHECK(root == 0, "the group has one rank"); }

}  // namespace

std::unique_ptr<Work> SoloGroup::copy(const void* in,
                                      void* out,
                                      std::size_t size_bytes,
                                      gpu::StreamHandle ready) {
  if (in == out || size_bytes == 0) return all_reduce_async(out, 0, DType::kU8, {}, ready);
  backend_.copy_to_device_async(out, in, size_bytes, ready);
  auto event = backend_.make_event(false);
  event->record(ready);
  return std::make_unique<EventWork>(std::move(event));
}

std::unique_ptr<Work> SoloGroup::all_reduce_async(void* /*buffer*/,
                                                  std::size_t /*count*/,
                                                  DType /*type*/,
                                                  ReduceOp /*op*/,
                                                  gpu::StreamHandle ready) {
  if (!backend_.is_cuda()) return std::make_unique<DoneWork>();
  // Another stream may consume the buffer: it has to wait for the one that produced it (a null
  // handle is the device's default stream).
  auto event = backend_.make_event(false);
  event->record(ready);
  return std::make_unique<EventWork>(std::move(event));
}

std::unique_ptr<Work> SoloGroup::broadcast_async(
    void* buffer, std::size_t count, DType type, int root, gpu::StreamHandle ready) {
  check_root(root);
  return all_reduce_async(buffer, count, type, ReduceOp::kSum, ready);
}

std::unique_ptr<Work> SoloGroup::all_gather_async(
    const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle ready) {
  return copy(in, out, count * size_bytes(type), ready);
}

std::unique_ptr<Work> SoloGroup::reduce_scatter_async(const void* in,
                                                      void* out,
                                                      std::size_t count,
                                                      DType type,
                                                      ReduceOp /*op*/,
                                                      gpu::StreamHandle ready) {
  return copy(in, out, count * size_bytes(type), ready);
}

std::unique_ptr<Work> SoloGroup::all_to_all_async(
    const void* in, void* out, std::size_t count, DType type, gpu::StreamHandle ready) {
  return copy(in, out, count * size_bytes(type), ready);
}

std::unique_ptr<Work> SoloGroup::send_async(const void* /*buffer*/,
                                            std::size_t /*count*/,
                                            DType /*type*/,
                                            int to,
                                            gpu::StreamHandle /*ready*/) {
  throw internal_error(format("send to rank {} in a group of one", to));
}

std::unique_ptr<Work> SoloGroup::receive_async(void* /*buffer*/,
                                               std::size_t /*count*/,
                                               DType /*type*/,
                                               int from,
                                               gpu::StreamHandle /*ready*/) {
  throw internal_error(format("receive from rank {} in a group of one", from));
}

}  // namespace lockstep::comm
