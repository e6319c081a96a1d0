// The time ledger of a step: every interval is booked to exactly one bin, and each bin is measured
// by itself. docs/reports.md defines the bins.
// Thread: the training thread only.
#pragma once

#include <lockstep/records/schema.h>

#include <array>
#include <cstddef>
#include <string_view>

namespace lockstep::telemetry {

// In the order of records::kBinKeys.
enum class Bin {
  kDataWait,
  kHostToDevice,
  kForward,
  kBackward,
  kCommExposed,
  kOptimizer,
  kSnapshot,
  kEval,
  kOther,
};
inline constexpr std::size_t kNumBins = records::kNumBins;

std::string_view bin_name(Bin bin);  // the record's key: "data_wait", ...

// The books of one step.
struct StepTimes {
  std::array<double, kNumBins> seconds{};
  double wall_s = 0;  // measured apart from the bins
};

// Always in exactly one bin: switching books the time since the last switch to the bin left.
class Ledger {
 public:
  Ledger();
  virtual ~Ledger() = default;
  // Ends the bin in force and enters `bin`; returns the bin left.
  virtual Bin enter(Bin bin);
  // Ends a step; the next begins at the same moment, in the same bin.
  virtual void close_step();
  // The oldest closed step that was not read yet. Requires: on the host at most one.
  virtual StepTimes read_step();
  // Books to the bin in force, returns the seconds of every bin since the last take, and starts the
  // next step. The sum of the bins is the wall time between two takes.
  std::array<double, kNumBins> take();

  // The same at a moment the caller names, in seconds of a clock that does not go back: for moments
  // taken earlier, and for tests.
  explicit Ledger(double start_s) : since_s_(start_s), step_since_s_(start_s) {}
  Bin enter_at(Bin bin, double moment_s);
  std::array<double, kNumBins> take_at(double moment_s);

 private:
  std::array<double, kNumBins> seconds_{};
  Bin bin_ = Bin::kOther;
  double since_s_ = 0;
  double step_since_s_ = 0;
  StepTimes closed_;
};

// Enters a bin for a scope and returns to the one before: spans nest, time is booked once.
class Span {
 public:
  Span(Ledger& ledger, Bin bin) : ledger_(ledger), before_(ledger.enter(bin)) {}
  ~Span() { ledger_.enter(before_); }
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

 private:
  Ledger& ledger_;
  Bin before_;
};

}  // namespace lockstep::telemetry
