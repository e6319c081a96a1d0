#include <lockstep/base/error.h>
#include <lockstep/optim/optimizer.h>

#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

namespace lockstep::optim {
namespace {

Options with_lr(double lr) {
  Options options;
  options.lr = lr;
  return options;
}

ScheduleOptions schedule(const std::string& name, std::int64_t warmup, double min_lr) {
  ScheduleOptions options;
  options.name = name;
  options.warmup_steps = warmup;
  options.min_lr = min_lr;
  return options;
}

TEST(Schedule, ConstantAfterALinearWarmUp) {
  const ScheduleOptions options = schedule("constant", 4, 0);
  EXPECT_DOUBLE_EQ(learning_rate(with_lr(0.8), options, 1, 100), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate(with_lr(0.8), options, 3, 100), 0.6);
  EXPECT_DOUBLE_EQ(learning_rate(with_lr(0.8), options, 4, 100), 0.8);
  EXPECT_DOUBLE_EQ(learning_rate(with_lr(0.8), options, 90, 100), 0.8);
}

TEST(Schedule, CosineCountsAsTorchsCosineAnnealingLr) {
  const ScheduleOptions options = schedule("cosine", 0, 0.1);
  for (std::int64_t step = 1; step <= 10; ++step) {
    const double turn = std::numbers::pi * static_cast<double>(step - 1) / 10.0;
    EXPECT_NEAR(
        learning_rate(with_lr(1.1), options, step, 10), 0.1 + 0.5 * (1.0 + std::cos(turn)), 1e-12);
  }
  EXPECT_NEAR(learning_rate(with_lr(1.1), options, 6, 10), 0.6, 1e-12);
}

TEST(Schedule, CosineStartsAtFullRateAfterTheWarmUpAndStopsAtTheLeast) {
  const ScheduleOptions options = schedule("cosine", 5, 0.01);
  EXPECT_DOUBLE_EQ(learning_rate(with_lr(1), options, 5, 25), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(with_lr(1), options, 6, 25), 1.0);
  EXPECT_GT(learning_rate(with_lr(1), options, 25, 25), 0.01);
  EXPECT_NEAR(learning_rate(with_lr(1), options, 26, 25), 0.01, 1e-12);
  EXPECT_NEAR(learning_rate(with_lr(1), options, 1000, 25), 0.01, 1e-12);
}

TEST(Schedule, FallsMonotonically) {
  const ScheduleOptions options = schedule("cosine", 3, 0);
  for (std::int64_t step = 4; step < 50; ++step) {
    EXPECT_GE(learning_rate(with_lr(1), options, step, 50),
              learning_rate(with_lr(1), options, step + 1, 50));
  }
}

TEST(Schedule, ARunShorterThanItsWarmUpOnlyWarmsUp) {
  EXPECT_DOUBLE_EQ(learning_rate(with_lr(1), schedule("cosine", 100, 0), 10, 10), 0.1);
}

TEST(Schedule, RefusesUnknownNames) {
  EXPECT_THROW(learning_rate(with_lr(1), schedule("sawtooth", 0, 0), 1, 10), Error);
}

}  // namespace
}  // namespace lockstep::optim
