// The device pass over pixels; equal to transform_pixels.cpp to rounding.
#include "cuda_kernels.h"

#include <cuda_runtime.h>

namespace {

using lockstep::augment::DevicePlan;
using lockstep::augment::TransformArguments;

// One thread an output pixel; consecutive threads write consecutive x of one plane.
__global__ void transform(TransformArguments a) {
  const std::int64_t total = a.batch * a.channels * a.height * a.width;
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < total;
       i += stride) {
    const std::int64_t x = i % a.width;
    const std::int64_t y = i / a.width % a.height;
    const std::int64_t c = i / (a.width * a.height) % a.channels;
    const std::int64_t b = i / (a.width * a.height * a.channels);
    const DevicePlan plan = a.plans[b];
    const std::int64_t sx = x + plan.dx;
    const std::int64_t sy = y + plan.dy;
    float pixel = 0.0F;
    if (sx >= 0 && sx < a.width && sy >= 0 && sy < a.height) {
      const std::int64_t source_x = plan.flip != 0 ? a.width - 1 - sx : sx;
      pixel =
          static_cast<float>(a.pixels[((b * a.height + sy) * a.width + source_x) * a.channels + c]);
    }
    a.out[i] = fmaf(pixel, a.scale[c], a.shift[c]);
  }
}

}  // namespace

extern "C" const char* lockstep_augment_transform(const TransformArguments& arguments,
                                                  void* stream) {
  constexpr int kThreads = 256;
  constexpr std::int64_t kMaxBlocks = 4096;
  const std::int64_t total =
      arguments.batch * arguments.channels * arguments.height * arguments.width;
  std::int64_t blocks = (total + kThreads - 1) / kThreads;
  if (blocks > kMaxBlocks) blocks = kMaxBlocks;
  if (blocks == 0) return nullptr;
  transform<<<static_cast<unsigned>(blocks), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      arguments);
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}
