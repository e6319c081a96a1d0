// Brings a micro-batch of compact bytes to the device and makes it what the model takes: one fused
// pass over the pixels (move by plan, u8 to float, normalise, HWC to CHW).
#pragma once

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
};

struct FeederOptions {
  std::vector<double> mean;  // per channel, of pixels in [0, 1]
  std::vector<double> std;
  data::AugmentOptions augment;
  std::uint64_t seed = 0;
};

// Tensors of a DeviceBatch are reused: they are valid until the second next call.
class Feeder {
 public:
  virtual ~Feeder() = default;
  // Stream: on CUDA the copy runs on the feeder's own stream and the current stream waits for it;
  // `reusable()` is then the event after which the slab may be refilled (null on the CPU).
  virtual DeviceBatch feed(const data::Batch& batch) = 0;
  virtual gpu::Event* reusable() = 0;
};

std::unique_ptr<Feeder> make_feeder(gpu::Backend& backend,
                                    const at::Device& device,
                                    const FeederOptions& options);

// The pass itself, on host memory. pixels (B, H, W, C) u8 -> out (B, C, H, W) f32. `scale` and
// `shift` are per channel: out = pixel * scale + shift, and `shift` alone is not used for pixels
// that come in from outside, which are zero after normalisation of a zero pixel.
struct PixelShape {
  std::int64_t batch = 0, height = 0, width = 0, channels = 0;
};
void transform_pixels(const std::uint8_t* pixels,
                      const PixelShape& shape,
                      const data::TransformPlan* plans,
                      const float* scale,
                      const float* shift,
                      float* out);

}  // namespace lockstep::augment
