// What is done to the pixels of one sample, as plain numbers that the host pass and the kernels
// share. No LibTorch here and nothing newer than C++17: the .cu side includes this too.
#pragma once

#include <cstdint>

namespace lockstep::augment {

// Order: crop and resize, then PixelOps on bytes, then move and mirror, normalise, erase, mix.
struct SamplePlan {
  // Pixel (y, x) of the result is pixel (y + dy, flip ? W-1-(x + dx) : x + dx) of what was cropped
  // and resized to the result's size; zero outside.
  std::int32_t dx = 0, dy = 0, flip = 0;
  std::int32_t crop_x = 0, crop_y = 0, crop_width = 0, crop_height = 0;  // in the source
  // Set to zero, or to normal noise drawn by the key, after normalisation. Empty: nothing.
  std::int32_t erase_x0 = 0, erase_y0 = 0, erase_x1 = 0, erase_y1 = 0;
  std::int32_t erase_noise = 0;
  // Blended with the partner's result: lambda of its own. With a box (not empty) the box is the
  // partner's and the rest is its own. Its own index: not mixed.
  std::int32_t partner = 0;
  float lambda = 1;
  std::int32_t box_x0 = 0, box_y0 = 0, box_x1 = 0, box_y1 = 0;
  std::uint64_t erase_key = 0;
};

enum class PixelOpKind : std::int32_t {
  kIdentity,
  kAffine,  // nearest pixel at (matrix . (x, y, 1)) >> 16, zero outside
  // Blends: value 0 is the degenerate image, 1 the image itself.
  kBrightness,  // degenerate: black
  kContrast,    // degenerate: the mean grey
  kSaturation,  // degenerate: grey
  kSharpness,   // degenerate: smoothed
  kHue,         // value: turn of the colour circle
  kPosterize,   // value: bits that are kept
  kSolarize,    // value: bytes from here on are inverted
  kAutocontrast,
  kEqualize,
};

// One operation on bytes.
struct PixelOp {
  PixelOpKind kind = PixelOpKind::kIdentity;
  float value = 0;
  // x and y of the source in units of 2^-16: matrix[0] * x + matrix[1] * y + matrix[2], and so on.
  std::int32_t matrix[6] = {};
};

}  // namespace lockstep::augment
