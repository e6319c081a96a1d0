#include <lockstep/base/error.h>
#include <lockstep/optim/optimizer.h>

#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

namespace lockstep::optim {
namespace {

ScheduleOptions schedule(const std::string& name, std::int64_t warmup, double min_lr) {
  ScheduleOptions options;
  options.name = name;
  options.warmup_steps = warmup;
  options.min_lr = min_lr;
  return options;
}

TEST(Schedule, ConstantAfterALinearWarmUp) {
  const ScheduleOptions options = schedule("constant", 4, 0);
  EXPECT_DOUBLE_EQ(learning_rate(0.8, options, 1, 100), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate(0.8, options, 3, 100), 0.6);
  EXPECT_DOUBLE_EQ(learning_rate(0.8, options, 4, 100), 0.8);
  EXPECT_DOUBLE_EQ(learning_rate(0.8, options, 90, 100), 0.8);
}

TEST(Schedule, CosineCountsAsTorchsCosineAnnealingLr) {
  const ScheduleOptions options = schedule("cosine", 0, 0.1);
  for (std::int64_t step = 1; step <= 10; ++step) {
    const double turn = std::numbers::pi * static_cast<double>(step - 1) / 10.0;
    EXPECT_NEAR(learning_rate(1.1, options, step, 10), 0.1 + 0.5 * (1.0 + std::cos(turn)), 1e-12);
  }
  EXPECT_NEAR(learning_rate(1.1, options, 6, 10), 0.6, 1e-12);
}

TEST(Schedule, CosineStartsAtFullRateAfterTheWarmUpAndStopsAtTheLeast) {
  const ScheduleOptions options = schedule("cosine", 5, 0.01);
  EXPECT_DOUBLE_EQ(learning_rate(1, options, 5, 25), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(1, options, 6, 25), 1.0);
  EXPECT_GT(learning_rate(1, options, 25, 25), 0.01);
  EXPECT_NEAR(learning_rate(1, options, 26, 25), 0.01, 1e-12);
  EXPECT_NEAR(learning_rate(1, options, 1000, 25), 0.01, 1e-12);
}

TEST(Schedule, FallsMonotonically) {
  const ScheduleOptions options = schedule("cosine", 3, 0);
  for (std::int64_t step = 4; step < 50; ++step) {
    EXPECT_GE(learning_rate(1, options, step, 50), learning_rate(1, options, step + 1, 50));
  }
}

TEST(Schedule, ARunShorterThanItsWarmUpOnlyWarmsUp) {
  EXPECT_DOUBLE_EQ(learning_rate(1, schedule("cosine", 100, 0), 10, 10), 0.1);
}

// Against PyTorch's and timm's own: tests/oracle/optim_oracle.py.
TEST(Schedule, EveryOneBeginsAtItsPeakAfterTheWarmUp) {
  for (const char* name : {"constant",
                           "step",
                           "multistep",
                           "cosine",
                           "cosine_restarts",
                           "polynomial",
                           "linear",
                           "wsd"}) {
    ScheduleOptions options = schedule(name, 4, 0.1);
    options.step_size = options.period = options.decay_steps = 5;
    options.milestones = {7};
    EXPECT_DOUBLE_EQ(learning_rate(2, options, 1, 30), 0.5) << name;
    EXPECT_DOUBLE_EQ(learning_rate(2, options, 4, 30), 2) << name;
    EXPECT_DOUBLE_EQ(learning_rate(2, options, 5, 30), 2) << name;
  }
}

TEST(Schedule, RestartsMayGrowLongerAndLower) {
  ScheduleOptions options = schedule("cosine_restarts", 2, 0);
  options.period = 4;
  options.period_factor = 2;
  options.restart_factor = 0.5;
  EXPECT_DOUBLE_EQ(learning_rate(1, options, 3, 100), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(1, options, 5, 100), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate(1, options, 7, 100), 0.5);    // the second begins
  EXPECT_DOUBLE_EQ(learning_rate(1, options, 15, 100), 0.25);  // eight steps later the third
}

TEST(Schedule, WsdFallsInItsLastStepsAlone) {
  ScheduleOptions options = schedule("wsd", 2, 0.2);
  options.decay_steps = 4;
  EXPECT_DOUBLE_EQ(learning_rate(1, options, 9, 12), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(1, options, 10, 12), 0.8);
  EXPECT_DOUBLE_EQ(learning_rate(1, options, 12, 12), 0.4);
  options.decay_shape = "sqrt";
  EXPECT_DOUBLE_EQ(learning_rate(1, options, 10, 12), 0.6);
  options.decay_shape = "cosine";
  EXPECT_DOUBLE_EQ(learning_rate(1, options, 11, 12), 0.6);
}

TEST(Schedule, OneCycleEndsAtTheLeast) {
  ScheduleOptions options = schedule("onecycle", 4, 0.001);
  options.start_divisor = 10;
  EXPECT_DOUBLE_EQ(learning_rate(1, options, 1, 20), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(1, options, 4, 20), 1.0);
  EXPECT_NEAR(learning_rate(1, options, 20, 20), 0.001, 1e-12);
}

TEST(Schedule, ThePeakFollowsTheBatchByItsRule) {
  Options options;
  options.lr = 0.1;
  EXPECT_DOUBLE_EQ(peak_lr(options, 1024), 0.1);
  options.lr_rule = "linear";
  EXPECT_DOUBLE_EQ(peak_lr(options, 1024), 0.4);
  options.lr_rule = "sqrt";
  EXPECT_DOUBLE_EQ(peak_lr(options, 1024), 0.2);
  options.lr_base_batch = 4096;
  EXPECT_DOUBLE_EQ(peak_lr(options, 1024), 0.05);
}

TEST(Schedule, RefusesWhatIsLongerThanTheRun) {
  EXPECT_NO_THROW(check_fits_run(schedule("cosine", 10, 0), 1, 10));
  EXPECT_THROW(check_fits_run(schedule("cosine", 11, 0), 1, 10), Error);
  EXPECT_THROW(check_fits_run(schedule("cosine", 0, 2), 1, 10), Error);
  EXPECT_NO_THROW(check_fits_run(schedule("constant", 0, 2), 1, 10));
  ScheduleOptions wsd = schedule("wsd", 6, 0);
  wsd.decay_steps = 5;
  EXPECT_THROW(check_fits_run(wsd, 1, 10), Error);
}

TEST(Schedule, RefusesUnknownNames) {
  EXPECT_THROW(learning_rate(1, schedule("sawtooth", 0, 0), 1, 10), Error);
}

}  // namespace
}  // namespace lockstep::optim
