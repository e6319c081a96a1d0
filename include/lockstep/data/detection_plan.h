// What is done to the images and boxes of a detection data set: a pure host function of (seed,
// epoch, sample id), so that box counts and padded sizes are known before any pixel is moved.
#pragma once

#include <lockstep/data/transform_plan.h>

#include <cstdint>
#include <span>
#include <vector>

namespace lockstep::data {

// The recipe of "End-to-End Object Detection with Transformers" (Carion et al., 2020), section 4.
struct DetectionOptions {
  std::vector<std::int64_t> short_sides{480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800};
  std::int64_t max_long_side = 1333;
  bool flip = true;         // with probability 1/2
  bool random_crop = true;  // with probability 1/2: resize, crop, resize
  std::vector<std::int64_t> crop_short_sides{400, 500, 600};
  std::int64_t crop_min = 384;  // sides of the crop, drawn one by one
  std::int64_t crop_max = 600;
  std::int64_t eval_short_side = 800;
  std::int64_t pad_multiple = 32;  // of the sides of a padded batch
};

struct DetectionBox {
  float x0 = 0, y0 = 0, x1 = 0, y1 = 0;  // in pixels of the result
  float area = 0;                        // in pixels of the result, after clipping
  std::int64_t source = 0;               // which box of the sample it was

  bool operator==(const DetectionBox&) const = default;
};

struct DetectionPlan : Geometry {   // the region may begin and end inside of pixels
  std::vector<DetectionBox> boxes;  // clipped; those that nothing is left of are dropped
};

// boxes (M, 4) x0 y0 x1 y1 in pixels of the source. Outside training: eval_short_side, no more.
// Requires: sides are positive, boxes.size() is a multiple of 4.
DetectionPlan plan_detection(const DetectionOptions& options,
                             bool training,
                             std::uint64_t seed,
                             std::int64_t epoch,
                             std::int64_t sample_id,
                             ImageSize source,
                             std::span<const float> boxes);

// Size of an image whose shorter side becomes `short_side`, or less where the longer one would pass
// `max_long_side` (0: no limit).
ImageSize size_by_short_side(ImageSize source, std::int64_t short_side, std::int64_t max_long_side);

// The smallest size that holds all of them, sides rounded up to multiples of `multiple`.
// Requires: multiple > 0.
ImageSize padded_size(std::span<const ImageSize> sizes, std::int64_t multiple);

}  // namespace lockstep::data
