#include "image_ops.h"

#include "pixel_tables.h"

#include <array>
#include <cstring>
#include <utility>

namespace lockstep::augment {
namespace {

std::int64_t bytes_of(const ImageShape& shape) {
  return std::int64_t{shape.height} * shape.width * shape.channels;
}

ImageStatistics measure(const ImageShape& shape, const std::uint8_t* pixels) {
  ImageStatistics statistics{};
  const std::int64_t count = std::int64_t{shape.height} * shape.width;
  statistics.num_pixels = static_cast<std::uint32_t>(count);
  const std::int32_t channels = shape.channels;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint8_t* const pixel = pixels + i * channels;
    for (std::int32_t c = 0; c < channels; ++c) ++statistics.histogram[c][pixel[c]];
    statistics.luma_sum +=
        channels == 3 ? static_cast<std::uint64_t>(luma(pixel[0], pixel[1], pixel[2])) : pixel[0];
  }
  return statistics;
}

using Tables = std::array<std::array<std::uint8_t, kTableSize>, kMostChannels>;

template <std::size_t kChannels>
void look_up(const Tables& tables, std::int64_t num_pixels, std::uint8_t* pixels) {
  for (std::int64_t i = 0; i < num_pixels; ++i, pixels += kChannels) {
    for (std::size_t c = 0; c < kChannels; ++c) pixels[c] = tables[c][pixels[c]];
  }
}

void map_bytes(const PixelOp& op, const ImageShape& shape, std::uint8_t* pixels) {
  ImageStatistics statistics{};
  if (needs_statistics(op.kind)) statistics = measure(shape, pixels);
  Tables tables;
  for (std::int32_t c = 0; c < shape.channels; ++c) {
    build_table(op, statistics, c, tables[static_cast<std::size_t>(c)].data());
  }
  constexpr std::array<decltype(&look_up<1>), kMostChannels> kLookUps{
      look_up<1>, look_up<2>, look_up<3>, look_up<4>};
  kLookUps[static_cast<std::size_t>(shape.channels - 1)](
      tables, std::int64_t{shape.height} * shape.width, pixels);
}

void saturate(float factor, const ImageShape& shape, std::uint8_t* pixels) {
  const std::int64_t size = bytes_of(shape);
  for (std::int64_t i = 0; i < size; i += 3) {
    const int grey = luma(pixels[i], pixels[i + 1], pixels[i + 2]);
    for (std::int64_t c = i; c < i + 3; ++c) pixels[c] = blend(grey, pixels[c], factor);
  }
}

void turn_hues(float turn, const ImageShape& shape, std::uint8_t* pixels) {
  const std::int64_t size = bytes_of(shape);
  for (std::int64_t i = 0; i < size; i += 3) turn_hue(pixels + i, turn);
}

void move_affine(const PixelOp& op,
                 const ImageShape& shape,
                 const std::uint8_t* from,
                 std::uint8_t* to) {
  const std::int32_t channels = shape.channels;
  for (std::int32_t y = 0; y < shape.height; ++y) {
    std::int64_t at_x = std::int64_t{op.matrix[1]} * y + op.matrix[2];
    std::int64_t at_y = std::int64_t{op.matrix[4]} * y + op.matrix[5];
    for (std::int32_t x = 0; x < shape.width; ++x) {
      const std::int64_t source_x = at_x >> 16;
      const std::int64_t source_y = at_y >> 16;
      const bool inside =
          source_x >= 0 && source_x < shape.width && source_y >= 0 && source_y < shape.height;
      const std::uint8_t* const pixel = from + (source_y * shape.width + source_x) * channels;
      for (std::int32_t c = 0; c < channels; ++c) *to++ = inside ? pixel[c] : std::uint8_t{0};
      at_x += op.matrix[0];
      at_y += op.matrix[3];
    }
  }
}

// The outermost pixels stay.
void sharpen(float factor, const ImageShape& shape, const std::uint8_t* from, std::uint8_t* to) {
  std::memcpy(to, from, static_cast<std::size_t>(bytes_of(shape)));
  const std::int64_t row = std::int64_t{shape.width} * shape.channels;
  const std::int64_t step = shape.channels;
  for (std::int32_t y = 1; y < shape.height - 1; ++y) {
    for (std::int64_t x = step; x < row - step; ++x) {
      const std::uint8_t* const middle = from + y * row + x;
      int sum = 0;
      for (const std::uint8_t* const at : {middle - row, middle, middle + row}) {
        sum += at[-step] + at[0] + at[step];
      }
      to[y * row + x] = blend(smoothed(sum, *middle), *middle, factor);
    }
  }
}

}  // namespace

std::uint8_t* apply_ops(const PixelOp* ops,
                        std::int64_t num_ops,
                        const ImageShape& shape,
                        std::uint8_t* pixels,
                        std::uint8_t* scratch) {
  for (const PixelOp* op = ops; op != ops + num_ops; ++op) {
    if (op->kind == PixelOpKind::kAffine) {
      move_affine(*op, shape, pixels, scratch);
      std::swap(pixels, scratch);
    } else if (op->kind == PixelOpKind::kSharpness) {
      sharpen(op->value, shape, pixels, scratch);
      std::swap(pixels, scratch);
    } else if (is_table(op->kind)) {
      map_bytes(*op, shape, pixels);
    } else if (op->kind == PixelOpKind::kSaturation && shape.channels == 3) {
      saturate(op->value, shape, pixels);
    } else if (op->kind == PixelOpKind::kHue && shape.channels == 3) {
      turn_hues(op->value, shape, pixels);
    }
  }
  return pixels;
}

}  // namespace lockstep::augment
