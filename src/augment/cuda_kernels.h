// The device passes of augment, as plain C functions of liblockstep_cuda.so. No LibTorch here: the
// .cu side includes this too.
#pragma once

#include "pixel_plan.h"

#include <cstdint>

namespace lockstep::augment {

constexpr std::int64_t kTableBytes = 4 * 256;  // of one sample: four channels

// Letters: B batch, H height, W width, C channels.
struct TransformArguments {
  const std::uint8_t* pixels;  // (B, source H, source W, C)
  const SamplePlan* plans;     // (B)
  float* out;                  // (B, C, H, W)
  std::int64_t batch;
  std::int32_t source_height, source_width, channels, height, width;
  std::int32_t cropped;  // not 0: the pixels were cropped and resized before
  float scale[4];
  float shift[4];
};

// Crops and resizes to bytes, then applies the operations in order.
struct OpsArguments {
  const std::uint8_t* pixels;  // (B, source H, source W, C)
  const SamplePlan* plans;     // (B)
  const PixelOp* ops;          // (B, ops_per_sample)
  std::uint8_t* bytes;         // (B, H, W, C), the result
  std::uint8_t* scratch;       // as large
  std::uint8_t* tables;        // (B, kTableBytes)
  std::int64_t batch;
  std::int64_t ops_per_sample;
  std::int32_t source_height, source_width, channels, height, width;
};

// One image of a detection batch; none where `stored_height` is 0.
struct DetectionSlot {
  std::int64_t offset;  // of its first pixel
  std::int32_t stored_height, stored_width;
  float x0, y0, x1, y1;        // what is shown of what is stored
  std::int32_t height, width;  // of the result, in the upper left
  std::int32_t flip;
};

struct DetectionArguments {
  const std::uint8_t* pixels;  // (stored H, stored W, C) of each image
  const DetectionSlot* slots;  // (B)
  float* out;                  // (B, C, H, W)
  std::uint8_t* mask;          // (B, H, W), 1 where padded
  std::int64_t batch;
  std::int32_t channels, height, width;
  float scale[4];
  float shift[4];
};

// Puts the kernels on `stream` and returns nullptr, or CUDA's text of what went wrong.
using TransformFunction = const char* (*)(const TransformArguments& arguments, void* stream);
inline constexpr const char* kTransformSymbol = "lockstep_augment_transform";
using OpsFunction = const char* (*)(const OpsArguments& arguments, void* stream);
inline constexpr const char* kOpsSymbol = "lockstep_augment_ops";
using DetectionFunction = const char* (*)(const DetectionArguments& arguments, void* stream);
inline constexpr const char* kDetectionSymbol = "lockstep_augment_detection";

}  // namespace lockstep::augment
