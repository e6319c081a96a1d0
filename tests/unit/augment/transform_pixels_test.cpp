// The fused pixel pass against the plain definition, pixel by pixel.
#include <lockstep/augment/feeder.h>
#include <lockstep/base/random.h>

#include <gtest/gtest.h>

namespace lockstep::augment {
namespace {

std::vector<std::uint8_t> random_pixels(const PixelShape& shape) {
  PhiloxStream random(7, 1);
  std::vector<std::uint8_t> pixels(
      static_cast<std::size_t>(shape.batch * shape.height * shape.width * shape.channels));
  for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(random.below(256));
  return pixels;
}

// The definition in feeder.h, one pixel at a time.
double expected(const std::vector<std::uint8_t>& pixels,
                const PixelShape& shape,
                const data::TransformPlan& plan,
                std::int64_t b,
                std::int64_t c,
                std::int64_t y,
                std::int64_t x,
                double scale,
                double shift) {
  const std::int64_t sx = x + plan.dx;
  const std::int64_t sy = y + plan.dy;
  double pixel = 0;
  if (sx >= 0 && sx < shape.width && sy >= 0 && sy < shape.height) {
    const std::int64_t source = plan.flip ? shape.width - 1 - sx : sx;
    pixel = pixels[static_cast<std::size_t>(
        ((b * shape.height + sy) * shape.width + source) * shape.channels + c)];
  }
  return pixel * scale + shift;
}

void check(const PixelShape& shape, const std::vector<data::TransformPlan>& plans) {
  const auto pixels = random_pixels(shape);
  const std::vector<float> scale{0.017F, 0.02F, 0.011F};
  const std::vector<float> shift{-2.1F, -2.0F, 0.5F};
  std::vector<float> out(pixels.size(), -99.0F);
  transform_pixels(pixels.data(), shape, plans.data(), scale.data(), shift.data(), out.data());
  std::size_t at = 0;
  for (std::int64_t b = 0; b < shape.batch; ++b) {
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      for (std::int64_t y = 0; y < shape.height; ++y) {
        for (std::int64_t x = 0; x < shape.width; ++x) {
          const auto channel = static_cast<std::size_t>(c);
          const double want = expected(pixels,
                                       shape,
                                       plans[static_cast<std::size_t>(b)],
                                       b,
                                       c,
                                       y,
                                       x,
                                       scale[channel],
                                       shift[channel]);
          ASSERT_NEAR(out[at++], want, 1e-5) << "b " << b << " c " << c << " y " << y << " x " << x;
        }
      }
    }
  }
}

TEST(TransformPixels, PlainPassOfOneAndThreeChannels) {
  check({2, 5, 7, 1}, {{}, {}});
  check({2, 5, 7, 3}, {{}, {}});
  check({1, 28, 28, 1}, {{}});
}

TEST(TransformPixels, FlipsAndShiftsInEveryDirection) {
  check({4, 6, 5, 1}, {{1, 2, false}, {-2, 1, true}, {0, 0, true}, {3, -3, false}});
  check({4, 6, 5, 3}, {{1, 2, false}, {-2, 1, true}, {0, 0, true}, {3, -3, false}});
}

TEST(TransformPixels, ShiftPastTheImageLeavesOnlyTheFill) {
  check({1, 4, 4, 1}, {{9, 0, false}});
  check({1, 4, 4, 3}, {{0, -9, true}});
}

}  // namespace
}  // namespace lockstep::augment
