// The device pass over pixels: crop and resize, move, normalise, erase and mix in one kernel; equal
// to transform_pixels.cpp to rounding.
#include "cuda_kernels.h"
#include "launch.cuh"
#include "pixel_math.h"

namespace {

using lockstep::augment::axis_position;
using lockstep::augment::AxisPosition;
using lockstep::augment::normal_noise;
using lockstep::augment::SamplePlan;
using lockstep::augment::TransformArguments;
using lockstep::augment::weight_of;

// The four neighbours of one place of a result, in the source.
struct Neighbours {
  std::int64_t top_left, top_right, bottom_left, bottom_right;  // of channel 0
  float wx, wy;
};

__device__ Neighbours find_neighbours(const TransformArguments& a,
                                      const SamplePlan& plan,
                                      std::int64_t b,
                                      std::int32_t y,
                                      std::int32_t x) {
  const bool cropped = a.cropped != 0;
  const AxisPosition row = axis_position(
      y, cropped ? 0 : plan.crop_y, cropped ? a.source_height : plan.crop_height, a.height);
  const AxisPosition column = axis_position(
      x, cropped ? 0 : plan.crop_x, cropped ? a.source_width : plan.crop_width, a.width);
  const std::int64_t top = (b * a.source_height + row.first) * a.source_width;
  const std::int64_t bottom = (b * a.source_height + row.second) * a.source_width;
  return {(top + column.first) * a.channels,
          (top + column.second) * a.channels,
          (bottom + column.first) * a.channels,
          (bottom + column.second) * a.channels,
          weight_of(column),
          weight_of(row)};
}

// What sample b has at (y, x) of its result, unmixed: `values` of all channels.
__device__ void sample_at(
    const TransformArguments& a, std::int64_t b, std::int32_t y, std::int32_t x, float* values) {
  const SamplePlan& plan = a.plans[b];
  if (x >= plan.erase_x0 && x < plan.erase_x1 && y >= plan.erase_y0 && y < plan.erase_y1) {
    for (int c = 0; c < a.channels; ++c) values[c] = 0.0F;
    if (plan.erase_noise != 0) {
      normal_noise(plan.erase_key,
                   static_cast<std::uint64_t>(static_cast<std::int64_t>(y) * a.width + x),
                   values);
    }
    return;
  }
  const std::int32_t moved_x = x + plan.dx;
  const std::int32_t moved_y = y + plan.dy;
  if (moved_x < 0 || moved_x >= a.width || moved_y < 0 || moved_y >= a.height) {
    for (int c = 0; c < a.channels; ++c) values[c] = a.shift[c];
    return;
  }
  const std::int32_t mirrored = plan.flip != 0 ? a.width - 1 - moved_x : moved_x;
  const Neighbours at = find_neighbours(a, plan, b, moved_y, mirrored);
  for (int c = 0; c < a.channels; ++c) {
    const float top_left = a.pixels[at.top_left + c];
    const float bottom_left = a.pixels[at.bottom_left + c];
    const float top = top_left + at.wx * (a.pixels[at.top_right + c] - top_left);
    const float bottom = bottom_left + at.wx * (a.pixels[at.bottom_right + c] - bottom_left);
    values[c] = fmaf(top + at.wy * (bottom - top), a.scale[c], a.shift[c]);
  }
}

// One thread a place of the result; consecutive threads write consecutive x of each plane.
__global__ void transform(TransformArguments a) {
  const std::int64_t plane = static_cast<std::int64_t>(a.height) * a.width;
  const std::int64_t total = a.batch * plane;
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < total;
       i += stride) {
    const std::int64_t b = i / plane;
    const std::int64_t place = i % plane;
    const auto x = static_cast<std::int32_t>(place % a.width);
    const auto y = static_cast<std::int32_t>(place / a.width);
    const SamplePlan& plan = a.plans[b];
    const bool boxed = plan.box_x1 > plan.box_x0;
    const bool in_box = x >= plan.box_x0 && x < plan.box_x1 && y >= plan.box_y0 && y < plan.box_y1;
    float values[4];
    sample_at(a, in_box ? plan.partner : b, y, x, values);
    if (plan.partner != b && !boxed) {
      float others[4];
      sample_at(a, plan.partner, y, x, others);
      for (int c = 0; c < a.channels; ++c) {
        values[c] = plan.lambda * values[c] + (1.0F - plan.lambda) * others[c];
      }
    }
    for (int c = 0; c < a.channels; ++c) {
      a.out[(b * a.channels + c) * plane + place] = values[c];
    }
  }
}

}  // namespace

extern "C" const char* lockstep_augment_transform(const TransformArguments& arguments,
                                                  void* stream) {
  using lockstep::augment::kThreads;
  const unsigned blocks =
      lockstep::augment::blocks_for(arguments.batch * arguments.height * arguments.width);
  if (blocks == 0) return nullptr;
  transform<<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(arguments);
  return lockstep::augment::launch_error();
}
