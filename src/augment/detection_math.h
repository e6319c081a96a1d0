// One pixel of a padded detection batch, as the kernel makes it; a test of the host compares it
// with the pass over whole images. No LibTorch and nothing newer than C++17 here.
#pragma once

#include "cuda_kernels.h"
#include "pixel_math.h"

#include <cstdint>

namespace lockstep::augment {

LOCKSTEP_BOTH_SIDES float lerp(float from, float to, float weight) {
  return from + rounded_product(weight, to - from);
}

// What image b has at (y, x): `values` of all channels. False where it is padded.
LOCKSTEP_BOTH_SIDES bool detection_pixel(
    const DetectionArguments& a, std::int64_t b, std::int32_t y, std::int32_t x, float* values) {
  const DetectionSlot& slot = a.slots[b];
  for (std::int32_t c = 0; c < a.channels; ++c) values[c] = 0.0F;
  if (y >= slot.height || x >= slot.width) return false;
  if (slot.stored_height == 0) return true;
  const std::int32_t mirrored = slot.flip != 0 ? slot.width - 1 - x : x;
  const RegionPosition row = region_position(y, slot.y0, slot.y1, slot.stored_height, slot.height);
  const RegionPosition column =
      region_position(mirrored, slot.x0, slot.x1, slot.stored_width, slot.width);
  const std::uint8_t* const pixels = a.pixels + slot.offset;
  for (std::int32_t c = 0; c < a.channels; ++c) {
    const auto at = [&](std::int32_t i, std::int32_t j) {
      const std::int64_t place = static_cast<std::int64_t>(i) * slot.stored_width + j;
      return rounded_product(static_cast<float>(pixels[place * a.channels + c]), a.scale[c]) +
             a.shift[c];
    };
    values[c] =
        lerp(lerp(at(row.first, column.first), at(row.first, column.second), column.weight),
             lerp(at(row.second, column.first), at(row.second, column.second), column.weight),
             row.weight);
  }
  return true;
}

}  // namespace lockstep::augment
