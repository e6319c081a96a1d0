// Plans are pure functions of (seed, epoch, sample id) and uniform over their range.
#include <lockstep/data/transform_plan.h>

#include <gtest/gtest.h>

#include <array>

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

TEST(TransformPlan, OffMeansIdentityAndPaddingIsNeverMoved) {
  EXPECT_TRUE(equal(plan_transform({false, 0}, 1, 1, 1), {}));
  std::vector<TransformPlan> plans;
  const std::array<std::int64_t, 2> ids{4, -1};
  plan_transforms({true, 3}, 1, 1, ids, plans);
  ASSERT_EQ(plans.size(), 2U);
  EXPECT_TRUE(equal(plans[1], {}));
}

}  // namespace
}  // namespace lockstep::data
