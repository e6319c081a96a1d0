// The host pass over pixels: moved, converted, normalised and transposed in one go.
#include <lockstep/augment/feeder.h>

namespace lockstep::augment {
namespace {

struct Row {
  const std::uint8_t* pixels;  // (W, C), or null for a row from outside
  std::int64_t width;
  std::int64_t channels;
};

__attribute__((target_clones("avx512f", "avx2", "default"))) void convert_plain(
    const std::uint8_t* from, std::int64_t count, float scale, float shift, float* out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(from[i]) * scale + shift;
}

__attribute__((target_clones("avx512f", "avx2", "default"))) void convert_interleaved3(
    const std::uint8_t* from,
    std::int64_t count,
    const float* scale,
    const float* shift,
    float* out0,
    float* out1,
    float* out2) {
  for (std::int64_t i = 0; i < count; ++i) {
    out0[i] = static_cast<float>(from[3 * i]) * scale[0] + shift[0];
    out1[i] = static_cast<float>(from[3 * i + 1]) * scale[1] + shift[1];
    out2[i] = static_cast<float>(from[3 * i + 2]) * scale[2] + shift[2];
  }
}

void convert_moved(const Row& row,
                   const data::TransformPlan& plan,
                   std::int64_t channel,
                   float scale,
                   float shift,
                   float* out) {
  for (std::int64_t x = 0; x < row.width; ++x) {
    const std::int64_t moved = x + plan.dx;
    const bool inside = row.pixels != nullptr && moved >= 0 && moved < row.width;
    const std::int64_t source = plan.flip ? row.width - 1 - moved : moved;
    const float pixel =
        inside ? static_cast<float>(row.pixels[source * row.channels + channel]) : 0.0F;
    out[x] = pixel * scale + shift;
  }
}

void transform_one(const std::uint8_t* pixels,
                   const PixelShape& shape,
                   const data::TransformPlan& plan,
                   const float* scale,
                   const float* shift,
                   float* out) {
  const std::int64_t plane = shape.height * shape.width;
  const bool moved = plan.dx != 0 || plan.dy != 0 || plan.flip;
  if (!moved && shape.channels == 1) {
    convert_plain(pixels, plane, scale[0], shift[0], out);
    return;
  }
  if (!moved && shape.channels == 3) {
    convert_interleaved3(pixels, plane, scale, shift, out, out + plane, out + 2 * plane);
    return;
  }
  for (std::int64_t y = 0; y < shape.height; ++y) {
    const std::int64_t source_y = y + plan.dy;
    const bool inside = source_y >= 0 && source_y < shape.height;
    const Row row{inside ? pixels + source_y * shape.width * shape.channels : nullptr,
                  shape.width,
                  shape.channels};
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      convert_moved(row, plan, c, scale[c], shift[c], out + c * plane + y * shape.width);
    }
  }
}

}  // namespace

void transform_pixels(const std::uint8_t* pixels,
                      const PixelShape& shape,
                      const data::TransformPlan* plans,
                      const float* scale,
                      const float* shift,
                      float* out) {
  const std::int64_t sample = shape.height * shape.width * shape.channels;
  for (std::int64_t b = 0; b < shape.batch; ++b) {
    transform_one(pixels + b * sample, shape, plans[b], scale, shift, out + b * sample);
  }
}

}  // namespace lockstep::augment
