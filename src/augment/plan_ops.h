// Which operations on bytes a training image gets: RandAugment, then colour jitter. A pure function
// of (seed, epoch, sample id).
#pragma once

#include "pixel_plan.h"

#include <lockstep/data/transform_plan.h>

#include <cstdint>
#include <span>

namespace lockstep::augment {

// How many operations every image gets, identities included.
std::int64_t num_ops(const data::AugmentOptions& options);

// RandAugment: Cubuk et al., 2020, with torchvision's fourteen operations and strengths at 31
// magnitudes; colour jitter as torchvision's ColorJitter.
// Requires: ops.size() is num_ops(options).
void plan_ops(const data::AugmentOptions& options,
              std::uint64_t seed,
              std::int64_t epoch,
              std::int64_t sample_id,
              data::ImageSize size,
              std::span<PixelOp> ops);

// Source of (x, y) for a pixel (x, y) of the result, in pixels: a row is (a, b, c) for
// a * x + b * y + c. Exposed for tests.
PixelOp make_affine(const double (&matrix)[6]);

}  // namespace lockstep::augment
