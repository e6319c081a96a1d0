// Operations on bytes on the device, equal to image_ops.cpp: one pair of kernels an operation, all
// samples at once, each with its own.
#include "cuda_kernels.h"
#include "launch.cuh"
#include "pixel_tables.h"

namespace {

using namespace lockstep::augment;

// The pass from `from` to `to`, and which of a sample's operations it is.
struct Pass {
  const std::uint8_t* from;
  std::uint8_t* to;
  std::int64_t index;
};

__global__ void resize(OpsArguments a, std::uint8_t* to) {
  const std::int64_t total = a.batch * a.height * a.width;
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < total;
       i += stride) {
    const auto x = static_cast<std::int32_t>(i % a.width);
    const auto y = static_cast<std::int32_t>(i / a.width % a.height);
    const std::int64_t b = i / a.width / a.height;
    const SamplePlan& plan = a.plans[b];
    const AxisPosition row = axis_position(y, plan.crop_y, plan.crop_height, a.height);
    const AxisPosition column = axis_position(x, plan.crop_x, plan.crop_width, a.width);
    const std::uint8_t* const top =
        a.pixels + (b * a.source_height + row.first) * a.source_width * a.channels;
    const std::uint8_t* const bottom =
        a.pixels + (b * a.source_height + row.second) * a.source_width * a.channels;
    const std::int64_t left = static_cast<std::int64_t>(column.first) * a.channels;
    const std::int64_t right = static_cast<std::int64_t>(column.second) * a.channels;
    for (int c = 0; c < a.channels; ++c) {
      to[i * a.channels + c] = bilinear_byte(top[left + c],
                                             top[right + c],
                                             bottom[left + c],
                                             bottom[right + c],
                                             byte_weight(column),
                                             byte_weight(row));
    }
  }
}

// One block a sample: counts what its operation needs and makes its table.
__global__ void make_tables(OpsArguments a, Pass pass) {
  const PixelOp& op = a.ops[blockIdx.x * a.ops_per_sample + pass.index];
  if (!is_table(op.kind)) return;
  __shared__ ImageStatistics statistics;
  const std::int64_t num_pixels = static_cast<std::int64_t>(a.height) * a.width;
  for (int i = static_cast<int>(threadIdx.x); i < kMostChannels * kTableSize; i += kThreads) {
    statistics.histogram[i / kTableSize][i % kTableSize] = 0;
  }
  if (threadIdx.x == 0) {
    statistics.luma_sum = 0;
    statistics.num_pixels = static_cast<std::uint32_t>(num_pixels);
  }
  __syncthreads();
  if (needs_statistics(op.kind)) {
    const std::uint8_t* const image = pass.from + blockIdx.x * num_pixels * a.channels;
    unsigned long long luma_sum = 0;
    for (std::int64_t i = threadIdx.x; i < num_pixels; i += kThreads) {
      const std::uint8_t* const pixel = image + i * a.channels;
      for (int c = 0; c < a.channels; ++c) atomicAdd(&statistics.histogram[c][pixel[c]], 1U);
      luma_sum += static_cast<unsigned long long>(
          a.channels == 3 ? luma(pixel[0], pixel[1], pixel[2]) : pixel[0]);
    }
    atomicAdd(reinterpret_cast<unsigned long long*>(&statistics.luma_sum), luma_sum);
  }
  __syncthreads();
  if (static_cast<int>(threadIdx.x) < a.channels) {
    build_table(op,
                statistics,
                static_cast<int>(threadIdx.x),
                a.tables + blockIdx.x * kTableBytes + threadIdx.x * kTableSize);
  }
}

__device__ void move_pixel(const OpsArguments& a,
                           const PixelOp& op,
                           const std::uint8_t* image,
                           std::int64_t y,
                           std::int64_t x,
                           std::uint8_t* to) {
  const std::int64_t source_x = (static_cast<std::int64_t>(op.matrix[0]) * x +
                                 static_cast<std::int64_t>(op.matrix[1]) * y + op.matrix[2]) >>
                                16;
  const std::int64_t source_y = (static_cast<std::int64_t>(op.matrix[3]) * x +
                                 static_cast<std::int64_t>(op.matrix[4]) * y + op.matrix[5]) >>
                                16;
  const bool inside = source_x >= 0 && source_x < a.width && source_y >= 0 && source_y < a.height;
  for (int c = 0; c < a.channels; ++c) {
    to[c] = inside ? image[(source_y * a.width + source_x) * a.channels + c] : std::uint8_t{0};
  }
}

__device__ void sharpen_pixel(const OpsArguments& a,
                              float factor,
                              const std::uint8_t* image,
                              std::int64_t y,
                              std::int64_t x,
                              std::uint8_t* to) {
  const std::int64_t row = static_cast<std::int64_t>(a.width) * a.channels;
  const bool edge = x == 0 || y == 0 || x == a.width - 1 || y == a.height - 1;
  for (int c = 0; c < a.channels; ++c) {
    const std::uint8_t* const middle = image + y * row + x * a.channels + c;
    if (edge) {
      to[c] = *middle;
      continue;
    }
    int sum = 0;
    for (int dy = -1; dy <= 1; ++dy) {
      for (int dx = -1; dx <= 1; ++dx) sum += middle[dy * row + dx * a.channels];
    }
    to[c] = blend(smoothed(sum, *middle), *middle, factor);
  }
}

__device__ void colour_pixel(const OpsArguments& a,
                             const PixelOp& op,
                             const std::uint8_t* table,
                             const std::uint8_t* from,
                             std::uint8_t* to) {
  const bool mapped = is_table(op.kind);
  for (int c = 0; c < a.channels; ++c) to[c] = mapped ? table[c * kTableSize + from[c]] : from[c];
  if (a.channels != 3) return;
  if (op.kind == PixelOpKind::kSaturation) {
    const int grey = luma(from[0], from[1], from[2]);
    for (int c = 0; c < 3; ++c) to[c] = blend(grey, from[c], op.value);
  } else if (op.kind == PixelOpKind::kHue) {
    turn_hue(to, op.value);
  }
}

__global__ void apply(OpsArguments a, Pass pass) {
  const std::int64_t plane = static_cast<std::int64_t>(a.height) * a.width;
  const std::int64_t total = a.batch * plane;
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < total;
       i += stride) {
    const std::int64_t b = i / plane;
    const std::int64_t x = i % a.width;
    const std::int64_t y = i / a.width % a.height;
    const PixelOp& op = a.ops[b * a.ops_per_sample + pass.index];
    const std::uint8_t* const image = pass.from + b * plane * a.channels;
    std::uint8_t* const to = pass.to + i * a.channels;
    if (op.kind == PixelOpKind::kAffine) {
      move_pixel(a, op, image, y, x, to);
    } else if (op.kind == PixelOpKind::kSharpness) {
      sharpen_pixel(a, op.value, image, y, x, to);
    } else {
      colour_pixel(a, op, a.tables + b * kTableBytes, pass.from + i * a.channels, to);
    }
  }
}

}  // namespace

extern "C" const char* lockstep_augment_ops(const OpsArguments& arguments, void* stream) {
  const auto on = static_cast<cudaStream_t>(stream);
  const unsigned grid = blocks_for(arguments.batch * arguments.height * arguments.width);
  if (grid == 0) return nullptr;
  // The buffers take turns; the first is chosen so that the last result lies in `bytes`.
  std::uint8_t* from = arguments.ops_per_sample % 2 == 0 ? arguments.bytes : arguments.scratch;
  std::uint8_t* to = arguments.ops_per_sample % 2 == 0 ? arguments.scratch : arguments.bytes;
  resize<<<grid, kThreads, 0, on>>>(arguments, from);
  for (std::int64_t index = 0; index < arguments.ops_per_sample; ++index) {
    const Pass pass{from, to, index};
    make_tables<<<static_cast<unsigned>(arguments.batch), kThreads, 0, on>>>(arguments, pass);
    apply<<<grid, kThreads, 0, on>>>(arguments, pass);
    to = from;
    from = pass.to;
  }
  return launch_error();
}
