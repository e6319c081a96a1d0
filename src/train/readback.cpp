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
    slot.arrived = backend.make_event(false);
  }
}

void Readback::push(std::int64_t step, const at::Tensor& stats, gpu::StreamHandle stream) {
  LOCKSTEP_CHECK(!full(), "figures of too many steps are under way");
  Slot& slot = slots_[pushed_++ % kDepth];
  slot.step = step;
  backend_.copy_to_host_async(slot.memory->data(), stats.const_data_ptr<float>(), kBytes, stream);
  slot.arrived->record(stream);
}

std::optional<StepStats> Readback::pop(bool wait) {
  if (pushed_ == popped_) return std::nullopt;
  Slot& slot = slots_[popped_ % kDepth];
  if (wait) slot.arrived->synchronize();
  if (!slot.arrived->done()) return std::nullopt;
  ++popped_;
  StepStats stats;
  stats.step = slot.step;
  std::memcpy(stats.values.data(), slot.memory->data(), kBytes);
  return stats;
}

}  // namespace lockstep::train
