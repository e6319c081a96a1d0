// Brings a micro-batch of a detection data set to the device and makes it what a detector takes:
// all images of one size with a mask, and their boxes.
#pragma once

#include <lockstep/data/loader.h>
#include <lockstep/gpu/device.h>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace lockstep::augment {

// Letters: B batch, C channels, H padded height, W padded width, M most boxes of an image of the
// step, on any rank. Boxes behind `counts` are zero, their class is -1.
struct DetectionDeviceBatch {
  at::Tensor images;  // (B, C, H, W) f32, (pixel / 255 - mean) / std in the upper left, else 0
  // (B, H, W) bool, true where padded. A sample that is padding itself has none: an image without
  // one place to look at would make a softmax not a number.
  at::Tensor mask;
  at::Tensor boxes;    // (B, M, 4) f32 x0 y0 x1 y1 in pixels
  at::Tensor targets;  // (B, M, 4) f32 cx cy w h, of the image without its padding, in [0, 1]
  at::Tensor classes;  // (B, M) i64
  at::Tensor areas;    // (B, M) f32 square pixels
  at::Tensor crowd;    // (B, M) bool; never set in training
  at::Tensor weights;  // (B) f32, 0 where the sample is padding
  // On the CPU.
  at::Tensor counts;                  // (B) i64
  at::Tensor sizes;                   // (B, 2) i64 height, width without the padding
  at::Tensor original_sizes;          // (B, 2) i64 of the image in the file
  at::Tensor sample_ids;              // (B) i64, -1 where the sample is padding
  std::int64_t num_boxes_global = 0;  // of the whole global step: the normaliser of a loss
};

// Tensors of a DetectionDeviceBatch are reused: they are valid until the second next call.
class DetectionFeeder {
 public:
  virtual ~DetectionFeeder() = default;
  // Stream: as Feeder::feed(). Requires: batch.detection.
  virtual DetectionDeviceBatch feed(const data::Batch& batch) = 0;
  // As that of Feeder.
  virtual gpu::Event* reusable() = 0;
};

// mean and std of each channel, of pixels in [0, 1].
std::unique_ptr<DetectionFeeder> make_detection_feeder(gpu::Backend& backend,
                                                       const at::Device& device,
                                                       const std::vector<double>& mean,
                                                       const std::vector<double>& std);

}  // namespace lockstep::augment
