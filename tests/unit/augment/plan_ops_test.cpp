// RandAugment and colour jitter as plans.
#include "plan_ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numbers>
#include <set>
#include <vector>

namespace lockstep::augment {
namespace {

std::vector<PixelOp> ops_of(const data::AugmentOptions& options,
                            std::int64_t id,
                            std::int64_t epoch = 0,
                            data::ImageSize size = {224, 224}) {
  std::vector<PixelOp> ops(static_cast<std::size_t>(num_ops(options)));
  plan_ops(options, 5, epoch, id, size, ops);
  return ops;
}

bool equal(const PixelOp& a, const PixelOp& b) {
  return a.kind == b.kind && a.value == b.value && std::equal(a.matrix, a.matrix + 6, b.matrix);
}

TEST(PlanOps, CountsWhatIsOn) {
  data::AugmentOptions options;
  EXPECT_EQ(num_ops(options), 0);
  options.hue = 0.1;
  options.contrast = 0.4;
  options.randaugment_ops = 2;
  EXPECT_EQ(num_ops(options), 4);
}

TEST(PlanOps, IsAFunctionOfSeedEpochAndSample) {
  data::AugmentOptions options;
  options.randaugment_ops = 2;
  options.brightness = 0.4;
  int differ = 0;
  for (std::int64_t id = 0; id < 100; ++id) {
    const auto one = ops_of(options, id);
    const auto again = ops_of(options, id);
    const auto later = ops_of(options, id, 1);
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(equal(one[i], again[i]));
    differ += equal(one[2], later[2]) ? 0 : 1;
  }
  EXPECT_EQ(differ, 100);
}

TEST(PlanOps, DrawsTheFourteenOperationsEvenly) {
  data::AugmentOptions options;
  options.randaugment_ops = 2;
  std::map<PixelOpKind, int> counts;
  constexpr int kSamples = 7000;
  for (std::int64_t id = 0; id < kSamples; ++id) {
    for (const PixelOp& op : ops_of(options, id)) ++counts[op.kind];
  }
  EXPECT_EQ(counts.size(), 10U);  // five of the fourteen are affine; hue is none of them
  for (const auto& [kind, count] : counts) {
    const int share = kind == PixelOpKind::kAffine ? 5 : 1;
    EXPECT_NEAR(count, share * 1000, 60 * share) << static_cast<int>(kind);
  }
}

TEST(PlanOps, StrengthsAreThoseOfTheMagnitude) {
  data::AugmentOptions options;
  options.randaugment_ops = 1;
  options.randaugment_magnitude = 9;  // three tenths
  std::map<PixelOpKind, std::set<float>> values;
  std::set<std::vector<std::int32_t>> matrices;
  for (std::int64_t id = 0; id < 3000; ++id) {
    const PixelOp op = ops_of(options, id)[0];
    values[op.kind].insert(op.value);
    if (op.kind == PixelOpKind::kAffine) matrices.insert({op.matrix, op.matrix + 6});
  }
  const std::set<float> blends{1.27F, 0.73F};
  EXPECT_EQ(values[PixelOpKind::kBrightness], blends);
  EXPECT_EQ(values[PixelOpKind::kContrast], blends);
  EXPECT_EQ(values[PixelOpKind::kSaturation], blends);
  EXPECT_EQ(values[PixelOpKind::kSharpness], blends);
  EXPECT_EQ(values[PixelOpKind::kPosterize], (std::set<float>{7}));
  EXPECT_EQ(values[PixelOpKind::kSolarize], (std::set<float>{178.5F}));
  EXPECT_EQ(matrices.size(), 10U);  // shear, translate and rotate, both ways
  const std::int32_t one = 1 << 16;
  const std::int32_t half = 1 << 15;
  // 0.3 * 150 / 331 of 224 pixels: 30, a whole number.
  EXPECT_TRUE(matrices.contains({one, 0, half - 30 * one, 0, one, half}));
  EXPECT_TRUE(matrices.contains({one, 0, half, 0, one, half + 30 * one}));
  // 0.09 of a pixel a row: 5898 units of 2^-16.
  EXPECT_TRUE(matrices.contains({one, 5898, half + 2949, 0, one, half}));
}

TEST(PlanOps, RotatesAboutTheCentre) {
  data::AugmentOptions options;
  options.randaugment_ops = 1;
  options.randaugment_magnitude = 30;
  const double cosine = std::cos(std::numbers::pi / 6);
  for (std::int64_t id = 0; id < 200; ++id) {
    const PixelOp op = ops_of(options, id, 0, {100, 60})[0];
    if (std::abs(op.matrix[0] / 65536.0 - cosine) > 1e-4) continue;
    // The centre (30, 50) is the corner of four pixels; the matrix counts from pixel centres.
    EXPECT_NEAR((op.matrix[0] * 29.5 + op.matrix[1] * 49.5 + op.matrix[2]) / 65536, 30, 1e-3);
    EXPECT_NEAR((op.matrix[3] * 29.5 + op.matrix[4] * 49.5 + op.matrix[5]) / 65536, 50, 1e-3);
    EXPECT_EQ(op.matrix[1], -op.matrix[3]);
    return;
  }
  FAIL() << "no rotation was drawn";
}

TEST(PlanOps, JitterStaysInRangeAndChangesItsOrder) {
  data::AugmentOptions options;
  options.brightness = 0.4;
  options.contrast = 1.5;  // from 0, not from -0.5
  options.saturation = 0.2;
  options.hue = 0.1;
  std::set<std::vector<PixelOpKind>> orders;
  std::map<PixelOpKind, std::pair<float, float>> ranges;
  for (std::int64_t id = 0; id < 2000; ++id) {
    std::vector<PixelOpKind> order;
    for (const PixelOp& op : ops_of(options, id)) {
      order.push_back(op.kind);
      auto& [low, high] = ranges.try_emplace(op.kind, 9.0F, -9.0F).first->second;
      low = std::min(low, op.value);
      high = std::max(high, op.value);
    }
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 24U);
  const auto expect = [&](PixelOpKind kind, float low, float high) {
    const float slack = 0.01F * (high - low);
    EXPECT_GE(ranges[kind].first, low);
    EXPECT_LT(ranges[kind].first, low + slack);
    EXPECT_LE(ranges[kind].second, high);
    EXPECT_GT(ranges[kind].second, high - slack);
  };
  expect(PixelOpKind::kBrightness, 0.6F, 1.4F);
  expect(PixelOpKind::kContrast, 0, 2.5F);
  expect(PixelOpKind::kSaturation, 0.8F, 1.2F);
  expect(PixelOpKind::kHue, -0.1F, 0.1F);
}

}  // namespace
}  // namespace lockstep::augment
