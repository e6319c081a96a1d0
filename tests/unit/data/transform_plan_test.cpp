// Plans are pure functions of (seed, epoch, sample id) and uniform over their range.
#include <lockstep/data/transform_plan.h>

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace lockstep::data {
namespace {

bool equal(const TransformPlan& a, const TransformPlan& b) {
  return a.dx == b.dx && a.dy == b.dy && a.flip == b.flip;
}

TEST(TransformPlan, DependsOnSeedEpochAndSampleOnly) {
  const AugmentOptions options{true, 2};
  const TransformPlan plan = plan_transform(options, 1, 2, 3);
  EXPECT_TRUE(equal(plan, plan_transform(options, 1, 2, 3)));
  int differ = 0;
  for (std::int64_t id = 0; id < 100; ++id) {
    const TransformPlan base = plan_transform(options, 1, 2, id);
    differ += equal(base, plan_transform(options, 1, 3, id)) ? 0 : 1;
    differ += equal(base, plan_transform(options, 2, 2, id)) ? 0 : 1;
  }
  EXPECT_GT(differ, 150);
}

TEST(TransformPlan, CoversItsRangeUniformly) {
  const AugmentOptions options{true, 2};
  std::array<int, 5> dx{};
  std::array<int, 5> dy{};
  int flips = 0;
  constexpr int kSamples = 10000;
  for (std::int64_t id = 0; id < kSamples; ++id) {
    const TransformPlan plan = plan_transform(options, 5, 0, id);
    ASSERT_LE(std::abs(plan.dx), 2);
    ASSERT_LE(std::abs(plan.dy), 2);
    ++dx[static_cast<std::size_t>(plan.dx + 2)];
    ++dy[static_cast<std::size_t>(plan.dy + 2)];
    flips += plan.flip ? 1 : 0;
  }
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(dx[i], kSamples / 5, 200);
    EXPECT_NEAR(dy[i], kSamples / 5, 200);
  }
  EXPECT_NEAR(flips, kSamples / 2, 250);
}

constexpr ImageSize kSource{400, 400};
constexpr ImageSize kTarget{224, 224};

Geometry crop_of(const AugmentOptions& options, std::int64_t epoch, std::int64_t id) {
  return plan_geometry(options, true, 7, epoch, id, kSource, kTarget);
}

bool is_whole(float value) { return value == std::floor(value); }

TEST(PlanGeometry, RandomCropsStayInTheirRangesAndInTheImage) {
  AugmentOptions options;
  options.random_crop = true;
  double area_sum = 0;
  double log_ratio_sum = 0;
  int wide = 0;
  constexpr int kSamples = 4000;
  for (std::int64_t id = 0; id < kSamples; ++id) {
    const Geometry geometry = crop_of(options, 0, id);
    const Region& region = geometry.region;
    ASSERT_TRUE(is_whole(region.x0) && is_whole(region.y0) && is_whole(region.x1) &&
                is_whole(region.y1));
    ASSERT_GE(region.x0, 0);
    ASSERT_GE(region.y0, 0);
    ASSERT_LE(region.x1, kSource.width);
    ASSERT_LE(region.y1, kSource.height);
    const double width = region.x1 - region.x0;
    const double height = region.y1 - region.y0;
    const double area = width * height / (kSource.width * kSource.height);
    // Half a pixel of rounding on sides of a hundred and more.
    ASSERT_GT(area, 0.08 * 0.98);
    ASSERT_LE(area, 1.0);
    ASSERT_GT(width / height, 0.75 * 0.98);
    ASSERT_LT(width / height, 4.0 / 3.0 * 1.02);
    area_sum += area;
    log_ratio_sum += std::log(width / height);
    wide += region.x0 > 0 ? 1 : 0;
    EXPECT_EQ(geometry.size, kTarget);
    EXPECT_FALSE(geometry.flip);
  }
  // Uniform areas that fit: integral of (m^2 - 0.08^2) / 2 over that of (m - 0.08), m = exp(-|u|)
  // the largest of log ratio u, uniform to log(4 / 3).
  EXPECT_NEAR(area_sum / kSamples, 0.478, 0.015);
  EXPECT_NEAR(log_ratio_sum / kSamples, 0.0, 0.02);
  EXPECT_GT(wide, kSamples / 2);
}

TEST(PlanGeometry, IsAFunctionOfSeedEpochAndSample) {
  AugmentOptions options;
  options.random_crop = true;
  options.flip = true;
  int differ = 0;
  for (std::int64_t id = 0; id < 100; ++id) {
    EXPECT_EQ(crop_of(options, 3, id), crop_of(options, 3, id));
    differ += crop_of(options, 3, id) == crop_of(options, 4, id) ? 0 : 1;
    EXPECT_EQ(crop_of(options, 3, id).flip, plan_transform(options, 7, 3, id).flip);
  }
  EXPECT_GT(differ, 95);
}

TEST(PlanGeometry, TakesTheLargestAllowedPartWhereNothingFits) {
  AugmentOptions options;
  options.random_crop = true;
  options.crop_area = {1.0, 1.0};  // of 300 x 100 pixels: fits in no allowed shape
  const Geometry geometry = plan_geometry(options, true, 1, 0, 0, {100, 300}, kTarget);
  EXPECT_EQ(geometry.region, (Region{83, 0, 216, 100}));  // 4 : 3
}

TEST(PlanGeometry, EvaluationTakesTheCentreOfTheTargetsShape) {
  AugmentOptions options;
  options.random_crop = true;
  options.flip = true;
  const auto centre = [&](ImageSize source, ImageSize target) {
    const Geometry geometry = plan_geometry(options, false, 1, 0, 5, source, target);
    EXPECT_FALSE(geometry.flip);
    EXPECT_EQ(geometry.size, target);
    return geometry.region;
  };
  EXPECT_EQ(centre({300, 400}, kTarget), (Region{50, 0, 350, 300}));
  EXPECT_EQ(centre({401, 300}, kTarget), (Region{0, 50, 300, 350}));
  EXPECT_EQ(centre({224, 224}, kTarget), (Region{0, 0, 224, 224}));
  EXPECT_EQ(centre({100, 100}, {50, 100}), (Region{0, 25, 100, 75}));
  // Without random_crop, and for padding, training does the same.
  options.random_crop = false;
  EXPECT_EQ(plan_geometry(options, true, 1, 0, 5, {300, 400}, kTarget).region,
            (Region{50, 0, 350, 300}));
  options.random_crop = true;
  const Geometry padding = plan_geometry(options, true, 1, 0, -1, {300, 400}, kTarget);
  EXPECT_EQ(padding, (Geometry{{50, 0, 350, 300}, kTarget, false}));
}

TEST(TransformPlan, OffMeansIdentity) {
  EXPECT_TRUE(equal(plan_transform({false, 0}, 1, 1, 1), {}));
}

}  // namespace
}  // namespace lockstep::data
