// What is done to each sample's pixels: a pure host function of (seed, epoch, sample id), so that
// the result does not depend on threads, ranks or resume.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lockstep::data {

struct AugmentOptions {
  bool flip = false;              // mirror left-right with probability 1/2
  std::int64_t shift_pixels = 0;  // move by up to this many pixels, edges filled with zeros
};

// One sample's plan. Pixel (y, x) of the result is pixel (y + dy, flip ? W-1-(x + dx) : x + dx) of
// the source, zero outside.
struct TransformPlan {
  std::int32_t dx = 0;
  std::int32_t dy = 0;
  bool flip = false;
};

TransformPlan plan_transform(const AugmentOptions& options,
                             std::uint64_t seed,
                             std::int64_t epoch,
                             std::int64_t sample_id);

// Plans of a batch, in its order; padded samples (id -1) get the identity.
void plan_transforms(const AugmentOptions& options,
                     std::uint64_t seed,
                     std::int64_t epoch,
                     std::span<const std::int64_t> sample_ids,
                     std::vector<TransformPlan>& plans);

}  // namespace lockstep::data
