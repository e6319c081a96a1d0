// Which images of a micro-batch are mixed, and how much: MixUp (Zhang et al., 2018) and CutMix (Yun
// et al., 2019), pair by pair.
#pragma once

#include "pixel_plan.h"

#include <lockstep/data/transform_plan.h>

#include <cstdint>
#include <span>

namespace lockstep::augment {

// Fills partner, lambda and box of every plan. Real sample i is paired with real sample R-1-i; the
// draw is a function of (seed, epoch, both sample ids), the same for both. Padding (id < 0, always
// at the end) and a middle sample are left alone. lambda of a box is corrected to its share of the
// image. Requires: plans.size() == sample_ids.size().
void plan_mix(const data::AugmentOptions& options,
              std::uint64_t seed,
              std::int64_t epoch,
              std::span<const std::int64_t> sample_ids,
              data::ImageSize size,
              std::span<SamplePlan> plans);

}  // namespace lockstep::augment
