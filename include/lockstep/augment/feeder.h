// Brings a micro-batch of compact bytes to the device and makes it what the model takes: cropped,
// resized, moved, recoloured, normalised, erased and mixed, all by plans that are pure functions of
// (seed, epoch, sample ids).
#pragma once

#include <lockstep/data/image.h>
#include <lockstep/data/loader.h>
#include <lockstep/data/transform_plan.h>
#include <lockstep/gpu/device.h>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace lockstep::augment {

// Letters: B batch, C channels, H height, W width.
struct DeviceBatch {
  at::Tensor images;      // (B, C, H, W) f32, (pixel / 255 - mean) / std
  at::Tensor labels;      // (B) i64
  at::Tensor weights;     // (B) f32, 0 where padded
  at::Tensor sample_ids;  // (B) i64 on the CPU, -1 where padded
  // Only with MixUp or CutMix, else undefined: the share `lambda` of an image belongs to `labels`,
  // the rest to `labels_b`.
  at::Tensor labels_b;  // (B) i64
  at::Tensor lambda;    // (B) f32, 1 where not mixed
};

struct FeederOptions {
  std::vector<double> mean;  // per channel, of pixels in [0, 1]
  std::vector<double> std;
  data::AugmentOptions augment;
  std::uint64_t seed = 0;
  data::ImageSize size;  // of the result; zero: as the batch has it
  bool training = true;  // false: resize and centre crop only
};

// Tensors of a DeviceBatch are reused: they are valid until the second next call.
class Feeder {
 public:
  virtual ~Feeder() = default;
  // Stream: on CUDA the copy runs on the feeder's own stream and the current stream waits for it;
  // `reusable()` is then the event after which the slab may be refilled (null on the CPU).
  // A resize is bilinear without antialiasing, pixel centres at half (align_corners = false).
  virtual DeviceBatch feed(const data::Batch& batch) = 0;
  virtual gpu::Event* reusable() = 0;
};

std::unique_ptr<Feeder> make_feeder(gpu::Backend& backend,
                                    const at::Device& device,
                                    const FeederOptions& options);

}  // namespace lockstep::augment
