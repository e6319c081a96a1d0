// Operations on the bytes of one image on the host: affine moves, colour, sharpness.
#pragma once

#include "pixel_plan.h"

#include <cstdint>

namespace lockstep::augment {

struct ImageShape {
  std::int32_t height = 0, width = 0, channels = 0;
};

// Applies the operations in order to (H, W, C) pixels. `scratch` is as large as the image. Returns
// where the result is: `pixels` or `scratch`. Saturation and hue leave images of other than three
// channels as they are.
std::uint8_t* apply_ops(const PixelOp* ops,
                        std::int64_t num_ops,
                        const ImageShape& shape,
                        std::uint8_t* pixels,
                        std::uint8_t* scratch);

}  // namespace lockstep::augment
