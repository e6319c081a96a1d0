// The plans of a batch, from what `data` and this module draw: what both feeders work by.
#pragma once

#include "pixel_plan.h"
#include "transform_pixels.h"

#include <lockstep/augment/feeder.h>

#include <cstdint>
#include <span>
#include <vector>

namespace lockstep::augment {

struct BatchPlan {
  PassShape shape;
  std::vector<SamplePlan> samples;  // (B)
  std::vector<PixelOp> ops;         // (B, ops_per_sample)
  std::int64_t ops_per_sample = 0;
  bool mixes = false;

  std::span<const PixelOp> ops_of(std::size_t sample) const;
};

// Thread: const calls from any thread.
class BatchPlanner {
 public:
  explicit BatchPlanner(const FeederOptions& options);

  // Padding (id < 0) is only resized. `plan` keeps its memory from batch to batch.
  void plan(const data::Batch& batch, BatchPlan& plan) const;

  // One sample by itself, not mixed. `ops` holds ops_per_sample().
  SamplePlan plan_sample(const PassShape& shape,
                         bool geometry_applied,
                         std::int64_t epoch,
                         std::int64_t sample_id,
                         std::span<PixelOp> ops) const;

  std::int64_t ops_per_sample() const;
  bool mixes() const { return options_.training && options_.augment.mixes(); }
  // Of results from sources of this size.
  PassShape shape_of(std::int64_t height, std::int64_t width, std::int64_t channels) const;
  const Normalisation& normalisation() const { return normalisation_; }

 private:
  FeederOptions options_;
  Normalisation normalisation_;
};

}  // namespace lockstep::augment
