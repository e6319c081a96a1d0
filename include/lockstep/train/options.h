// Settings of the train module: the run as a whole and how a step's batch is made up.
#pragma once

#include <lockstep/base/option.h>

#include <cstdint>
#include <string>

namespace lockstep::train {

struct RunOptions {
  std::string dir;  // empty: runs/<time>
  std::int64_t seed = 0;
  std::string device = "auto";
  std::int64_t epochs = 1;
  std::int64_t max_steps = 0;  // 0: no limit
  double max_seconds = 0;      // 0: no limit
  std::string determinism = "off";
  bool allow_gpu_sharing = false;
};

struct TrainOptions {
  std::int64_t batch_per_rank = 32;
  std::int64_t global_batch = 0;  // 0: not given; else batch_per_rank follows from it
  std::int64_t accumulate = 1;
  double label_smoothing = 0;
};

void bind_options(OptionTable& table, RunOptions& options);
void bind_options(OptionTable& table, TrainOptions& options);
// Throws: Error(kConfig).
void validate(const RunOptions& options);
void validate(const TrainOptions& options);

// Images of one micro-batch of one rank: batch_per_rank, or what global_batch leaves to each.
// Throws: Error(kConfig) when global_batch is not a multiple of num_ranks x accumulate.
std::int64_t resolve_batch_per_rank(const TrainOptions& options, std::int64_t num_ranks);

}  // namespace lockstep::train
