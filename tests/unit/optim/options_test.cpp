#include "refusal.h"

#include <lockstep/optim/options.h>

namespace lockstep::optim {
namespace {

struct All {
  Options optim;
  ScheduleOptions schedule;
  PrecisionOptions precision;
};

void expect_refused(const std::string& part, void (*change)(All&)) {
  All all;
  change(all);
  expect_refusal(ExitCode::kConfig, part, [&] {
    validate(all.optim);
    validate(all.schedule);
    validate(all.precision);
  });
}

TEST(OptimOptions, DefaultsAreValid) {
  EXPECT_NO_THROW(validate(Options{}));
  EXPECT_NO_THROW(validate(PrecisionOptions{}));
}

TEST(OptimOptions, RefuseWhatCannotBeARate) {
  expect_refused("optim.lr = -1", [](All& all) { all.optim.lr = -1; });
  expect_refused("optim.weight_decay", [](All& all) { all.optim.weight_decay = -1; });
  expect_refused("optim.clip_norm", [](All& all) { all.optim.clip_norm = -1; });
  expect_refused("optim.beta1 = 1", [](All& all) { all.optim.beta1 = 1; });
  expect_refused("optim.beta2 = -2", [](All& all) { all.optim.beta2 = -2; });
  expect_refused("optim.beta3 = 1.5", [](All& all) { all.optim.beta3 = 1.5; });
  expect_refused("optim.lr_base_batch = 0", [](All& all) { all.optim.lr_base_batch = 0; });
  expect_refused("optim.eps = 0", [](All& all) { all.optim.eps = 0; });
}

TEST(OptimOptions, RefuseNesterovWithoutMomentum) {
  expect_refused("optim.momentum = 1", [](All& all) { all.optim.momentum = 1; });
  expect_refused("optim.nesterov needs momentum", [](All& all) {
    all.optim.name = "sgd";
    all.optim.nesterov = true;
    all.optim.momentum = 0;
  });
  expect_refused("optim.nesterov needs momentum", [](All& all) {
    all.optim.name = "sgd";
    all.optim.nesterov = true;
    all.optim.dampening = 0.1;
  });
}

TEST(OptimOptions, RefuseTwoWaysOfClipping) {
  expect_refused("exclude each other", [](All& all) {
    all.optim.clip_norm = 1;
    all.optim.clip_agc = 0.01;
  });
}

TEST(OptimOptions, RefuseFactorsThatCannotBe) {
  expect_refused("optim.layer_decay = 0", [](All& all) { all.optim.layer_decay = 0; });
  expect_refused("optim.ema_decay = 1", [](All& all) { all.optim.ema_decay = 1; });
  expect_refused("optim.lr_factors: head is not", [](All& all) { all.optim.lr_factors = "head"; });
  expect_refused("optim.freeze", [](All& all) { all.optim.freeze = "a,,b"; });
  expect_refused("optim.skip_loss_z = -1", [](All& all) { all.optim.skip_loss_z = -1; });
}

TEST(OptimOptions, RefuseLossScalesThatCannotWork) {
  expect_refused("precision.loss_scale", [](All& all) { all.precision.loss_scale = 0.5; });
  expect_refused("precision.scale_growth_steps",
                 [](All& all) { all.precision.scale_growth_steps = 0; });
  expect_refused("precision.scale_growth = 0.5",
                 [](All& all) { all.precision.scale_growth = 0.5; });
  expect_refused("precision.scale_backoff = 1", [](All& all) { all.precision.scale_backoff = 1; });
}

}  // namespace
}  // namespace lockstep::optim
