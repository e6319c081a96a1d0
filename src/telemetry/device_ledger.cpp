#include <lockstep/base/error.h>
#include <lockstep/telemetry/device_ledger.h>

#include <algorithm>
#include <utility>

namespace lockstep::telemetry {

DeviceLedger::DeviceLedger(gpu::Backend& backend) : backend_(backend) { mark(bin_, true); }

Bin DeviceLedger::enter(Bin bin) {
  if (bin != bin_) mark(bin, false);
  return std::exchange(bin_, bin);
}

void DeviceLedger::close_step() { mark(bin_, true); }

StepTimes DeviceLedger::read_step() {
  const auto closes = [](const Mark& mark) { return mark.closes_step; };
  const auto begin = marks_.begin();
  const auto end = std::find_if(begin + 1, marks_.end(), closes);
  LOCKSTEP_CHECK(end != marks_.end(), "close_step() comes before read_step()");
  end->event->synchronize();
  StepTimes times;
  times.wall_s = end->event->elapsed_ms(*begin->event) / 1e3;
  for (auto from = begin; from != end; ++from) {
    const auto to = from + 1;
    times.seconds[static_cast<std::size_t>(from->bin)] += to->event->elapsed_ms(*from->event) / 1e3;
  }
  for (auto from = begin; from != end; ++from) spares_.push_back(std::move(from->event));
  marks_.erase(begin, end);
  return times;
}

void DeviceLedger::mark(Bin bin, bool closes_step) {
  if (spares_.empty()) spares_.push_back(backend_.make_event(true));
  marks_.push_back({std::move(spares_.back()), bin, closes_step});
  spares_.pop_back();
  marks_.back().event->record(backend_.compute_stream());
}

std::unique_ptr<Ledger> make_ledger(gpu::Backend& backend) {
  if (backend.is_cuda()) return std::make_unique<DeviceLedger>(backend);
  return std::make_unique<Ledger>();
}

}  // namespace lockstep::telemetry
