// What a finished step is known by.
#pragma once

#include <lockstep/telemetry/ledger.h>

#include <array>
#include <cstdint>

namespace lockstep::train {

// One finished step as this rank saw it.
struct StepFigures {
  std::int64_t step = 0;   // from 1
  std::int64_t epoch = 0;  // from 0
  double loss = 0;         // mean over the real samples of the global step
  double lr = 0;
  double grad_norm = 0;  // before clipping
  double loss_scale = 1;
  bool skipped = false;
  std::int64_t num_real_global = 0;
  std::int64_t images = 0;  // real samples of this rank
  std::int64_t bytes_read = 0;
  std::int64_t comm_bytes = 0;
  double comm_total_s = 0;
  std::int64_t memory_peak_bytes = 0;
  double wall_s = 0;  // measured apart from the bins
  std::array<double, telemetry::kNumBins> seconds{};
};

}  // namespace lockstep::train
