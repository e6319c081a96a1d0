// What a finished step is known by.
#pragma once

#include <lockstep/records/schema.h>
#include <lockstep/telemetry/ledger.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace lockstep::train {

// The parts of a step by what lives in them. kForward begins with the step, kUpdate with the end of
// the last backward pass.
enum class MemoryPhase { kForward, kBackward, kUpdate };
inline constexpr std::size_t kNumMemoryPhases = records::kMemoryKeys.size();

// One finished step as this rank saw it.
struct StepFigures {
  std::int64_t step = 0;   // from 1
  std::int64_t epoch = 0;  // from 0
  double loss = 0;         // mean over the real samples of the global step
  double lr = 0;
  double grad_norm = 0;  // before clipping
  double loss_scale = 1;
  bool skipped = false;
  bool spike = false;  // skipped for being far above the steps before
  std::int64_t num_real_global = 0;
  std::int64_t images = 0;  // real samples of this rank
  std::int64_t bytes_read = 0;
  std::int64_t comm_bytes = 0;
  double comm_total_s = 0;
  std::array<std::int64_t, kNumMemoryPhases> memory_bytes{};  // peak of each phase
  double wall_s = 0;                                          // measured apart from the bins
  std::array<double, telemetry::kNumBins> seconds{};

  std::int64_t memory_peak_bytes() const { return std::ranges::max(memory_bytes); }
};

}  // namespace lockstep::train
