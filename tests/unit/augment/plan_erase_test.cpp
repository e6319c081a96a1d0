// Random erasing as a plan.
#include "plan_erase.h"

#include <gtest/gtest.h>

#include <set>

namespace lockstep::augment {
namespace {

constexpr data::ImageSize kSize{200, 240};

SamplePlan plan_of(const data::AugmentOptions& options, std::int64_t id) {
  SamplePlan plan;
  plan_erase(options, 5, 2, id, kSize, plan);
  return plan;
}

TEST(PlanErase, IsOffByDefault) { EXPECT_EQ(plan_of({}, 1).erase_x1, 0); }

TEST(PlanErase, ErasesAsOftenAndAsMuchAsAsked) {
  data::AugmentOptions options;
  options.erase_probability = 0.25;
  options.erase_area = {0.02, 0.2};
  int erased = 0;
  std::set<std::uint64_t> keys;
  constexpr int kSamples = 8000;
  for (std::int64_t id = 0; id < kSamples; ++id) {
    const SamplePlan plan = plan_of(options, id);
    if (plan.erase_x1 == 0) continue;
    ++erased;
    keys.insert(plan.erase_key);
    ASSERT_GE(plan.erase_x0, 0);
    ASSERT_GE(plan.erase_y0, 0);
    ASSERT_LE(plan.erase_x1, kSize.width);
    ASSERT_LE(plan.erase_y1, kSize.height);
    const double width = plan.erase_x1 - plan.erase_x0;
    const double height = plan.erase_y1 - plan.erase_y0;
    ASSERT_GT(width * height / (200 * 240), 0.02 * 0.95);
    ASSERT_LT(width * height / (200 * 240), 0.2 * 1.05);
    ASSERT_GT(height / width, 0.3 * 0.95);
    ASSERT_LT(height / width, 10.0 / 3 * 1.05);
    EXPECT_EQ(plan.erase_noise, 0);
    EXPECT_EQ(plan.erase_x0, plan_of(options, id).erase_x0);
  }
  EXPECT_NEAR(erased, kSamples / 4, 150);
  EXPECT_EQ(keys.size(), static_cast<std::size_t>(erased));
}

TEST(PlanErase, NoiseIsAsked) {
  data::AugmentOptions options;
  options.erase_probability = 1;
  options.erase_fill = "noise";
  EXPECT_EQ(plan_of(options, 3).erase_noise, 1);
}

// A rectangle is never as wide or high as the image: with the whole area nothing fits.
TEST(PlanErase, LeavesTheImageWhereNothingFits) {
  data::AugmentOptions options;
  options.erase_probability = 1;
  options.erase_area = {1, 1};
  EXPECT_EQ(plan_of(options, 3).erase_x1, 0);
}

}  // namespace
}  // namespace lockstep::augment
