// The device pass of augment, as plain C functions of liblockstep_cuda.so. No LibTorch here: the
// .cu side includes this too.
#pragma once

#include <cstdint>

namespace lockstep::augment {

// As data::TransformPlan, laid out for the device.
struct DevicePlan {
  std::int32_t dx;
  std::int32_t dy;
  std::int32_t flip;
};

struct TransformArguments {
  const std::uint8_t* pixels;  // (B, H, W, C)
  const DevicePlan* plans;     // (B)
  float* out;                  // (B, C, H, W)
  std::int64_t batch, height, width, channels;
  float scale[4];
  float shift[4];
};

// Puts the kernel on `stream` and returns nullptr, or CUDA's text of what went wrong.
using TransformFunction = const char* (*)(const TransformArguments& arguments, void* stream);
inline constexpr const char* kTransformSymbol = "lockstep_augment_transform";

}  // namespace lockstep::augment
