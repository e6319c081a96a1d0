// The device pass over a padded detection batch: resize, mirror, normalise and pad in one kernel;
// equal to detection_pixels.cpp to rounding.
#include "cuda_kernels.h"
#include "detection_math.h"
#include "launch.cuh"

namespace {

using lockstep::augment::detection_pixel;
using lockstep::augment::DetectionArguments;

// One thread a place of the result; consecutive threads write consecutive x of each plane.
__global__ void make_detection(DetectionArguments a) {
  const std::int64_t plane = static_cast<std::int64_t>(a.height) * a.width;
  const std::int64_t total = a.batch * plane;
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < total;
       i += stride) {
    const std::int64_t b = i / plane;
    const std::int64_t place = i % plane;
    float values[4];
    const bool inside = detection_pixel(a,
                                        b,
                                        static_cast<std::int32_t>(place / a.width),
                                        static_cast<std::int32_t>(place % a.width),
                                        values);
    a.mask[i] = inside ? 0 : 1;
    for (int c = 0; c < a.channels; ++c) {
      a.out[(b * a.channels + c) * plane + place] = values[c];
    }
  }
}

}  // namespace

extern "C" const char* lockstep_augment_detection(const DetectionArguments& arguments,
                                                  void* stream) {
  using lockstep::augment::kThreads;
  const unsigned blocks =
      lockstep::augment::blocks_for(arguments.batch * arguments.height * arguments.width);
  if (blocks == 0) return nullptr;
  make_detection<<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(arguments);
  return lockstep::augment::launch_error();
}
