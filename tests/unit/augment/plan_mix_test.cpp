// MixUp and CutMix as plans of a micro-batch.
#include "plan_mix.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace lockstep::augment {
namespace {

constexpr data::ImageSize kSize{32, 48};

std::vector<SamplePlan> plans_of(const data::AugmentOptions& options,
                                 const std::vector<std::int64_t>& ids,
                                 std::int64_t epoch = 0) {
  std::vector<SamplePlan> plans(ids.size());
  plan_mix(options, 5, epoch, ids, kSize, plans);
  return plans;
}

std::vector<std::int64_t> ids_up_to(std::int64_t count) {
  std::vector<std::int64_t> ids(static_cast<std::size_t>(count));
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

TEST(PlanMix, PairsFirstWithLastAndLeavesPaddingAndTheMiddle) {
  data::AugmentOptions options;
  options.mixup_alpha = 0.8;
  const auto plans = plans_of(options, {7, 3, 9, 4, 5, -1, -1});
  const std::vector<std::int32_t> partners{4, 3, 2, 1, 0, 5, 6};
  for (std::size_t i = 0; i < plans.size(); ++i) EXPECT_EQ(plans[i].partner, partners[i]);
  EXPECT_EQ(plans[0].lambda, plans[4].lambda);
  EXPECT_EQ(plans[1].lambda, plans[3].lambda);
  EXPECT_NE(plans[0].lambda, plans[1].lambda);
  EXPECT_EQ(plans[2].lambda, 1);
  EXPECT_EQ(plans[5].lambda, 1);
}

TEST(PlanMix, ADrawBelongsToThePairWhereverItIs) {
  data::AugmentOptions options;
  options.mixup_alpha = 0.8;
  const float lambda = plans_of(options, {7, 3})[0].lambda;
  EXPECT_EQ(plans_of(options, {3, 7})[1].lambda, lambda);
  EXPECT_EQ(plans_of(options, {1, 7, 3, 2})[1].lambda, lambda);
  EXPECT_NE(plans_of(options, {7, 3}, 1)[0].lambda, lambda);
  EXPECT_NE(plans_of(options, {7, 4})[0].lambda, lambda);
}

// Beta(a, a): mean 1/2, variance 1 / (4 (2 a + 1)).
TEST(PlanMix, LambdaIsBetaDistributed) {
  for (const double alpha : {0.2, 1.0, 3.0}) {
    data::AugmentOptions options;
    options.mixup_alpha = alpha;
    double sum = 0;
    double squares = 0;
    constexpr std::int64_t kPairs = 20000;
    const auto plans = plans_of(options, ids_up_to(2 * kPairs));
    for (std::size_t i = 0; i < kPairs; ++i) {
      const double lambda = plans[i].lambda;
      ASSERT_GE(lambda, 0);
      ASSERT_LE(lambda, 1);
      sum += lambda;
      squares += (lambda - 0.5) * (lambda - 0.5);
    }
    EXPECT_NEAR(sum / kPairs, 0.5, 0.01) << alpha;
    EXPECT_NEAR(squares / kPairs, 1 / (4 * (2 * alpha + 1)), 0.003) << alpha;
  }
}

TEST(PlanMix, ABoxHasItsShareOfTheImage) {
  data::AugmentOptions options;
  options.cutmix_alpha = 1;
  double sum = 0;
  constexpr std::int64_t kPairs = 5000;
  const auto plans = plans_of(options, ids_up_to(2 * kPairs));
  for (std::size_t i = 0; i < kPairs; ++i) {
    const SamplePlan& plan = plans[i];
    ASSERT_GE(plan.box_x0, 0);
    ASSERT_GE(plan.box_y0, 0);
    ASSERT_LE(plan.box_x1, kSize.width);
    ASSERT_LE(plan.box_y1, kSize.height);
    const double area = (plan.box_x1 - plan.box_x0) * (plan.box_y1 - plan.box_y0);
    EXPECT_FLOAT_EQ(plan.lambda, static_cast<float>(1 - area / (32 * 48)));
    const SamplePlan& other = plans[plans.size() - 1 - i];
    EXPECT_EQ(plan.box_x0, other.box_x0);
    EXPECT_EQ(plan.lambda, other.lambda);
    sum += plan.lambda;
  }
  // A side s reaches s - s^2 / 4 into the image at the mean, 1 - s^2 is uniform; whole pixels take
  // a little more.
  EXPECT_NEAR(sum / kPairs, 0.69, 0.02);
}

TEST(PlanMix, SwitchesAndLeavesPairsAloneAsOftenAsAsked) {
  data::AugmentOptions options;
  options.mixup_alpha = 2;
  options.cutmix_alpha = 2;
  options.mix_probability = 0.6;
  options.mix_switch_probability = 0.25;
  constexpr std::int64_t kPairs = 10000;
  int cut = 0;
  int blended = 0;
  const auto plans = plans_of(options, ids_up_to(2 * kPairs));
  for (std::size_t i = 0; i < kPairs; ++i) {
    if (plans[i].partner == static_cast<std::int32_t>(i)) continue;
    (plans[i].box_x1 > plans[i].box_x0 ? cut : blended) += 1;
  }
  EXPECT_NEAR(cut, 1500, 120);
  EXPECT_NEAR(blended, 4500, 150);
}

}  // namespace
}  // namespace lockstep::augment
