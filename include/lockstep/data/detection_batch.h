// What a micro-batch of a detection data set holds beside its pixels: where each image lies, what
// is done to it, and the boxes that result. Known before any pixel is moved.
#pragma once

#include <lockstep/data/detection_plan.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace lockstep::data {

struct DetectionImage {
  ImageSize original;  // of the image in the file
  DetectionPlan plan;  // from the image in the file to what the model takes
  // What the batch holds of it, u8 (H, W, C): where the plan makes the image smaller this is done
  // already, antialiased; else what the plan's region touches, as it is. Padding has no pixels.
  Region part;              // of the image in the file
  ImageSize stored;         // its size in the batch
  std::int64_t offset = 0;  // of its first byte in the batch's pixels
  Geometry rest;            // from what is stored to what the model takes

  std::size_t stored_bytes(std::int64_t channels) const {
    return static_cast<std::size_t>(stored.height * channels * stored.width);
  }
};

// Letters: B batch, M the most boxes of an image, over all ranks of the step.
struct DetectionBatch {
  // Of all images of the step, on every rank, rounded up to DetectionOptions::pad_multiple.
  ImageSize padded;
  std::int64_t max_boxes = 0;              // M
  std::span<const DetectionImage> images;  // (B); padding: its size is `padded`
  std::span<const float> boxes;            // (B, M, 4) x0 y0 x1 y1 in pixels of the result
  std::span<const std::int64_t> classes;   // (B, M); -1 where there is no box
  std::span<const float> areas;            // (B, M) square pixels of the result
  std::span<const std::uint8_t> crowd;     // (B, M) 0 or 1
  std::span<const std::int64_t> counts;    // (B)
  std::int64_t num_boxes_global = 0;       // of the whole global step, crowds not counted
};

}  // namespace lockstep::data
