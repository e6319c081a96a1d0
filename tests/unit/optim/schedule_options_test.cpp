#include "refusal.h"

#include <lockstep/optim/options.h>

#include <gmock/gmock.h>

namespace lockstep::optim {
namespace {

void expect_refused(const std::string& part, const ScheduleOptions& options) {
  expect_refusal(ExitCode::kConfig, part, [&] { validate(options); });
}

ScheduleOptions named(const std::string& name) {
  ScheduleOptions options;
  options.name = name;
  return options;
}

TEST(ScheduleOptions, DefaultsAreValid) { EXPECT_NO_THROW(validate(ScheduleOptions{})); }

TEST(ScheduleOptions, AnUnknownNameIsRefusedWithTheKnownOnes) {
  expect_refused("schedule.name = sawtooth is not known: use one of constant, step",
                 named("sawtooth"));
}

TEST(ScheduleOptions, RefuseWhatIsMissing) {
  expect_refused("schedule.step_size = 0", named("step"));
  expect_refused("schedule.milestones", named("multistep"));
  expect_refused("schedule.period = 0", named("cosine_restarts"));
  expect_refused("schedule.decay_steps = 0", named("wsd"));
  expect_refused("schedule.warmup_steps = 0", named("onecycle"));
}

TEST(ScheduleOptions, RefuseWhatCannotBe) {
  ScheduleOptions options;
  options.warmup_steps = -1;
  expect_refused("schedule.warmup_steps = -1", options);
  options = {};
  options.min_lr = -1;
  expect_refused("schedule.min_lr = -1", options);
  options = {};
  options.gamma = 2;
  expect_refused("schedule.gamma = 2", options);
  options = {};
  options.power = 0;
  expect_refused("schedule.power = 0", options);
  options = {};
  options.start_divisor = 0.5;
  expect_refused("schedule.start_divisor = 0.5", options);
  options = named("multistep");
  options.milestones = {30, 10};
  expect_refused("sort them", options);
  options = named("cosine_restarts");
  options.period = 5;
  options.restart_factor = 1.5;
  expect_refused("schedule.restart_factor = 1.5", options);
}

TEST(ScheduleOptions, SayWhichOnesTheyRead) {
  EXPECT_THAT(keys_of(named("constant")), testing::IsEmpty());
  EXPECT_THAT(keys_of(named("step")), testing::ElementsAre("step_size", "gamma"));
  EXPECT_TRUE(reads_min_lr(named("wsd")));
  EXPECT_FALSE(reads_min_lr(named("multistep")));
}

}  // namespace
}  // namespace lockstep::optim
