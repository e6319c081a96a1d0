// One detection image in its slot, against the definition in double precision.
#include <lockstep/augment/detection.h>
#include <lockstep/base/random.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace lockstep::augment {
namespace {

constexpr data::ImageSize kSource{21, 34};

void check(const data::DetectionPlan& plan, data::ImageSize padded) {
  PhiloxStream random(4, 4);
  std::vector<std::uint8_t> pixels(21 * 34 * 3);
  for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(random.below(256));
  const std::vector<double> mean{0.5, 0.25, 0.125};
  const std::vector<double> std{0.5, 0.2, 0.1};
  std::vector<float> out(static_cast<std::size_t>(3 * padded.height * padded.width), -99.0F);
  fill_detection_slot(pixels, kSource, plan, mean, std, padded, out);
  const auto place = [](int at, double begin, double end, int out_size, int size) {
    const double exact = begin + (at + 0.5) * (end - begin) / out_size - 0.5;
    return std::clamp(exact, std::floor(begin), std::min<double>(size, std::ceil(end)) - 1);
  };
  std::size_t i = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    for (int y = 0; y < padded.height; ++y) {
      for (int x = 0; x < padded.width; ++x) {
        double want = 0;
        if (y < plan.size.height && x < plan.size.width) {
          const int from = plan.flip ? plan.size.width - 1 - x : x;
          const double at_y = place(y, plan.region.y0, plan.region.y1, plan.size.height, 21);
          const double at_x = place(from, plan.region.x0, plan.region.x1, plan.size.width, 34);
          const auto pixel = [&](double row, double column) {
            const auto source_y = static_cast<std::size_t>(std::min(row, 20.0));
            const auto source_x = static_cast<std::size_t>(std::min(column, 33.0));
            return static_cast<double>(pixels[(source_y * 34 + source_x) * 3 + c]);
          };
          const double y0 = std::floor(at_y);
          const double x0 = std::floor(at_x);
          const double wy = at_y - y0;
          const double wx = at_x - x0;
          const double value = (1 - wy) * ((1 - wx) * pixel(y0, x0) + wx * pixel(y0, x0 + 1)) +
                               wy * ((1 - wx) * pixel(y0 + 1, x0) + wx * pixel(y0 + 1, x0 + 1));
          want = (value / 255 - mean[c]) / std[c];
        }
        ASSERT_NEAR(out[i++], want, 1e-4) << "c " << c << " y " << y << " x " << x;
      }
    }
  }
}

TEST(FillDetectionSlot, ResizesMirrorsAndPads) {
  data::DetectionPlan plan;
  plan.region = {0, 0, 34, 21};
  plan.size = {30, 49};
  check(plan, {32, 64});
  plan.flip = true;
  check(plan, {30, 49});
  plan.size = {10, 16};
  check(plan, {12, 16});
}

TEST(FillDetectionSlot, TakesRegionsOfFractions) {
  data::DetectionPlan plan;
  plan.region = {3.25F, 1.5F, 30.75F, 20.125F};
  plan.size = {40, 50};
  check(plan, {41, 64});
  plan.flip = true;
  plan.size = {9, 13};
  check(plan, {9, 13});
}

}  // namespace
}  // namespace lockstep::augment
