// The host pass over the pixels of one sample, by its plan: bytes to what the model takes. Knows
// nothing of batches but the mixing of a pair.
#pragma once

#include "resize_pixels.h"

#include <cstdint>
#include <span>
#include <vector>

namespace lockstep::augment {

// Of each channel: out = byte * scale + shift.
struct Normalisation {
  float scale[4] = {};
  float shift[4] = {};
};

// (pixel / 255 - mean) / std. Requires: mean and std of one to four channels.
Normalisation make_normalisation(const std::vector<double>& mean, const std::vector<double>& std);

// pixels (source H, source W, C) u8 -> out (C, H, W) f32. Without operations and without a resize
// it is one pass, as it is with a resize alone (nothing is rounded to bytes then).
// Requires: one to four channels; the plan's crop lies inside the source.
void transform_sample(const std::uint8_t* pixels,
                      const PassShape& shape,
                      const SamplePlan& plan,
                      std::span<const PixelOp> ops,
                      const Normalisation& normalisation,
                      PassMemory& memory,
                      float* out);

// Mixes two transformed samples (C, H, W) in place; `plan` is of either.
void mix_pair(const SamplePlan& plan, const PassShape& shape, float* one, float* other);

}  // namespace lockstep::augment
