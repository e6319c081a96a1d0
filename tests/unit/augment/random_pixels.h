// The source image of the tests of single passes: seeded noise of the shape's size.
#pragma once

#include "transform_pixels.h"

#include <lockstep/base/random.h>

#include <cstdint>
#include <vector>

namespace lockstep::augment {

inline std::vector<std::uint8_t> random_pixels(const PassShape& shape) {
  PhiloxStream random(7, 1);
  std::vector<std::uint8_t> pixels(
      static_cast<std::size_t>(shape.source_height * shape.source_width * shape.channels));
  for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(random.below(256));
  return pixels;
}

}  // namespace lockstep::augment
