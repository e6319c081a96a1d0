#include "readback.h"

#include <lockstep/base/error.h>

#include <cstring>

namespace lockstep::train {
namespace {

constexpr std::size_t kBytes = sizeof(float) * optim::kNumStats;

}  // namespace

Readback::Readback(gpu::Backend& backend) : backend_(backend) {
  for (Slot& slot : slots_) {
    slot.memory = backend.make_pinned(kBytes);
    slot.ended = backend.make_event(false);
  }
}

void Readback::push(std::int64_t step, const at::Tensor& stats, gpu::StreamHandle stream) {
  LOCKSTEP_CHECK(pushed_ - popped_ < kDepth, "figures of too many steps are under way");
  LOCKSTEP_CHECK(pushed_ == closed_, "the step before was not closed");
  Slot& slot = slots_[pushed_++ % kDepth];
  slot.step = step;
  backend_.copy_to_host_async(slot.memory->data(), stats.const_data_ptr<float>(), kBytes, stream);
}

void Readback::close(gpu::StreamHandle stream) {
  LOCKSTEP_CHECK(closed_ + 1 == pushed_, "push() comes before close()");
  slots_[closed_++ % kDepth].ended->record(stream);
}

bool Readback::ended() {
  LOCKSTEP_CHECK(popped_ < closed_, "no step was closed");
  return slots_[popped_ % kDepth].ended->done();
}

StepStats Readback::pop() {
  LOCKSTEP_CHECK(popped_ < closed_, "no step is under way");
  Slot& slot = slots_[popped_++ % kDepth];
  slot.ended->synchronize();
  StepStats stats;
  stats.step = slot.step;
  std::memcpy(stats.values.data(), slot.memory->data(), kBytes);
  return stats;
}

}  // namespace lockstep::train
