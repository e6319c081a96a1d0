#include <lockstep/base/error.h>
#include <lockstep/telemetry/event_timer.h>

namespace lockstep::telemetry {

EventTimer::EventTimer(gpu::Backend& backend, std::size_t depth) : ring_(depth) {
  LOCKSTEP_CHECK(depth > 0, "an event timer needs room for a span");
  for (Pair& pair : ring_) {
    pair.from = backend.make_event(true);
    pair.to = backend.make_event(true);
  }
}

void EventTimer::start(gpu::StreamHandle stream) {
  LOCKSTEP_CHECK(!open_, "start and stop must alternate");
  open_ = true;
  skipping_ = length_ == ring_.size();
  if (skipping_) {
    ++num_skipped_;
    return;
  }
  ring_[(first_ + length_) % ring_.size()].from->record(stream);
  ++length_;
}

void EventTimer::stop(gpu::StreamHandle stream) {
  LOCKSTEP_CHECK(open_, "start and stop must alternate");
  open_ = false;
  if (!skipping_) ring_[(first_ + length_ - 1) % ring_.size()].to->record(stream);
}

std::optional<double> EventTimer::poll_s() {
  const std::size_t finished = length_ - static_cast<std::size_t>(open_ && !skipping_);
  if (finished == 0) return std::nullopt;
  Pair& pair = ring_[first_];
  if (!pair.to->done()) return std::nullopt;
  first_ = (first_ + 1) % ring_.size();
  --length_;
  return pair.to->elapsed_ms(*pair.from) / 1e3;
}

}  // namespace lockstep::telemetry
