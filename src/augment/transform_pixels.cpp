#include "transform_pixels.h"

#include "convert_row.h"
#include "image_ops.h"

#include <lockstep/base/error.h>

#include <algorithm>
#include <array>

namespace lockstep::augment {
namespace {

// Bytes of one channel-last image that is as large as the result, or a part of a larger one.
struct ByteView {
  const std::uint8_t* first;
  std::int64_t stride;
};

// Results as large as half a core's own cache are gone from it before a model reads the batch.
constexpr std::int64_t kStreamedBytes = 256 * 1024;

bool is_streamed(const PassShape& shape, const SamplePlan& plan) {
  const std::int64_t elements = std::int64_t{shape.channels} * shape.height * shape.width;
  const bool read_soon = plan.lambda < 1;  // mixed
  return !read_soon && elements * static_cast<std::int64_t>(sizeof(float)) >= kStreamedBytes;
}

std::array<float*, 4> planes_of(float* out, const PassShape& shape, std::int64_t offset) {
  std::array<float*, 4> planes{};
  for (std::int32_t c = 0; c < shape.channels; ++c) {
    planes[static_cast<std::size_t>(c)] =
        out + std::int64_t{c} * shape.height * shape.width + offset;
  }
  return planes;
}

// Rows of a result, moved, mirrored and normalised.
void convert_rows(const ByteView& view,
                  const PassShape& shape,
                  const SamplePlan& plan,
                  const Normalisation& normalisation,
                  float* out) {
  const InsideRange columns = inside_range(plan.dx, shape.width);
  const InsideRange rows = inside_range(plan.dy, shape.height);
  const std::int32_t inner = std::max(0, columns.end - columns.begin);
  // The first source column of what is inside, counted from the left.
  const std::int32_t source_x =
      plan.flip != 0 ? shape.width - plan.dx - columns.end : columns.begin + plan.dx;
  for (std::int32_t y = 0; y < shape.height; ++y) {
    const auto planes = planes_of(out, shape, std::int64_t{y} * shape.width);
    const bool inside = inner > 0 && y >= rows.begin && y < rows.end;
    std::array<float*, 4> begins{};
    for (std::size_t c = 0; c < static_cast<std::size_t>(shape.channels); ++c) {
      const float blank = normalisation.shift[c];
      std::fill(planes[c], planes[c] + (inside ? columns.begin : shape.width), blank);
      if (inside) std::fill(planes[c] + columns.end, planes[c] + shape.width, blank);
      begins[c] = planes[c] + columns.begin;
    }
    if (!inside) continue;
    const std::uint8_t* const from = view.first + (std::int64_t{y} + plan.dy) * view.stride +
                                     std::int64_t{source_x} * shape.channels;
    convert_row({from,
                 inner,
                 normalisation.scale,
                 normalisation.shift,
                 begins.data(),
                 is_streamed(shape, plan)},
                shape.channels,
                plan.flip != 0);
  }
}

void convert_bytes(const ByteView& view,
                   const PassShape& shape,
                   const SamplePlan& plan,
                   const Normalisation& normalisation,
                   float* out) {
  const bool moved = plan.dx != 0 || plan.dy != 0 || plan.flip != 0;
  if (moved || view.stride != std::int64_t{shape.width} * shape.channels) {
    convert_rows(view, shape, plan, normalisation, out);
    return;
  }
  const auto planes = planes_of(out, shape, 0);
  convert_row({view.first,
               std::int64_t{shape.height} * shape.width,
               normalisation.scale,
               normalisation.shift,
               planes.data(),
               is_streamed(shape, plan)},
              shape.channels,
              false);
}

void erase(const PassShape& shape, const SamplePlan& plan, float* out) {
  if (plan.erase_x1 <= plan.erase_x0) return;
  for (std::int32_t y = plan.erase_y0; y < plan.erase_y1; ++y) {
    const auto planes = planes_of(out, shape, std::int64_t{y} * shape.width);
    for (std::int32_t x = plan.erase_x0; x < plan.erase_x1; ++x) {
      float noise[4] = {};
      if (plan.erase_noise != 0) {
        normal_noise(
            plan.erase_key, static_cast<std::uint64_t>(std::int64_t{y} * shape.width + x), noise);
      }
      for (std::size_t c = 0; c < static_cast<std::size_t>(shape.channels); ++c) {
        planes[c][x] = noise[c];
      }
    }
  }
}

// Crops, resizes and runs the operations; the bytes are in `memory` afterwards.
ByteView make_bytes(const std::uint8_t* pixels,
                    const PassShape& shape,
                    const SamplePlan& plan,
                    std::span<const PixelOp> ops,
                    PassMemory& memory) {
  const auto size =
      static_cast<std::size_t>(std::int64_t{shape.height} * shape.width * shape.channels);
  if (memory.bytes.size() < size) {
    memory.bytes.resize(size);
    memory.scratch.resize(size);
  }
  resize_to_bytes(pixels, shape, plan, memory, memory.bytes.data());
  const std::uint8_t* const result = apply_ops(ops.data(),
                                               std::ssize(ops),
                                               {shape.height, shape.width, shape.channels},
                                               memory.bytes.data(),
                                               memory.scratch.data());
  return {result, std::int64_t{shape.width} * shape.channels};
}

bool changes_bytes(std::span<const PixelOp> ops) {
  return std::ranges::any_of(ops,
                             [](const PixelOp& op) { return op.kind != PixelOpKind::kIdentity; });
}

void swap_box(const SamplePlan& plan, const PassShape& shape, float* one, float* other) {
  for (std::int64_t c = 0; c < shape.channels; ++c) {
    for (std::int64_t y = plan.box_y0; y < plan.box_y1; ++y) {
      const std::int64_t row = (c * shape.height + y) * shape.width;
      std::swap_ranges(one + row + plan.box_x0, one + row + plan.box_x1, other + row + plan.box_x0);
    }
  }
}

[[gnu::target_clones("avx512f", "avx2", "default")]] void blend_both(float lambda,
                                                                     std::int64_t count,
                                                                     float* one,
                                                                     float* other) {
  const float rest = 1.0F - lambda;
  for (std::int64_t i = 0; i < count; ++i) {
    const float a = one[i];
    const float b = other[i];
    one[i] = lambda * a + rest * b;
    other[i] = lambda * b + rest * a;
  }
}

}  // namespace

Normalisation make_normalisation(const std::vector<double>& mean, const std::vector<double>& std) {
  LOCKSTEP_CHECK(mean.size() == std.size() && !mean.empty() && mean.size() <= 4,
                 "mean and std of one to four channels");
  Normalisation normalisation;
  for (std::size_t c = 0; c < mean.size(); ++c) {
    normalisation.scale[c] = static_cast<float>(1.0 / (255.0 * std[c]));
    normalisation.shift[c] = static_cast<float>(-mean[c] / std[c]);
  }
  return normalisation;
}

void transform_sample(const std::uint8_t* pixels,
                      const PassShape& shape,
                      const SamplePlan& plan,
                      std::span<const PixelOp> ops,
                      const Normalisation& normalisation,
                      PassMemory& memory,
                      float* out) {
  const std::int64_t stride = std::int64_t{shape.source_width} * shape.channels;
  const bool resizes = plan.crop_width != shape.width || plan.crop_height != shape.height;
  // Bytes are rounded wherever operations may follow, as on the device.
  if (changes_bytes(ops) || (resizes && !ops.empty())) {
    convert_bytes(make_bytes(pixels, shape, plan, ops, memory), shape, plan, normalisation, out);
  } else if (!resizes) {
    const std::uint8_t* const first =
        pixels + plan.crop_y * stride + std::int64_t{plan.crop_x} * shape.channels;
    convert_bytes({first, stride}, shape, plan, normalisation, out);
  } else {
    resize_to_planes(pixels, shape, plan, normalisation.scale, normalisation.shift, memory, out);
  }
  erase(shape, plan, out);
  if (is_streamed(shape, plan)) finish_streamed_rows();
}

void mix_pair(const SamplePlan& plan, const PassShape& shape, float* one, float* other) {
  if (plan.box_x1 > plan.box_x0) {
    swap_box(plan, shape, one, other);
  } else if (plan.lambda < 1) {
    blend_both(plan.lambda, std::int64_t{shape.channels} * shape.height * shape.width, one, other);
  }
}

}  // namespace lockstep::augment
