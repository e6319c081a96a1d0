#include <lockstep/base/clock.h>
#include <lockstep/telemetry/ledger.h>

namespace lockstep::telemetry {

static_assert(static_cast<std::size_t>(Bin::kOther) + 1 == kNumBins);
static_assert(records::kBinKeys[static_cast<std::size_t>(Bin::kCommExposed)] == "comm_exposed");

std::string_view bin_name(Bin bin) { return records::kBinKeys[static_cast<std::size_t>(bin)]; }

Ledger::Ledger() : Ledger(now_s()) {}

Bin Ledger::enter(Bin bin) { return enter_at(bin, now_s()); }

void Ledger::close_step() {
  const double moment_s = now_s();
  closed_.wall_s = moment_s - step_since_s_;
  step_since_s_ = moment_s;
  closed_.seconds = take();
}

StepTimes Ledger::read_step() { return closed_; }

std::array<double, kNumBins> Ledger::take() { return take_at(now_s()); }

Bin Ledger::enter_at(Bin bin, double moment_s) {
  const Bin left = bin_;
  seconds_[static_cast<std::size_t>(left)] += moment_s - since_s_;
  since_s_ = moment_s;
  bin_ = bin;
  return left;
}

std::array<double, kNumBins> Ledger::take_at(double moment_s) {
  enter_at(bin_, moment_s);
  const std::array<double, kNumBins> out = seconds_;
  seconds_.fill(0);
  return out;
}

}  // namespace lockstep::telemetry
