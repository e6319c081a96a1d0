#include "train/session.h"

#include "tiny_run.h"

#include <ATen/core/Tensor.h>

namespace lockstep::train {
namespace {

TEST(PlanSampler, TakesTheBatchFromTheGlobalOne) {
  Settings settings;
  settings.train.global_batch = 24;
  settings.train.accumulate = 3;
  const data::SamplerOptions sampler = plan_sampler(settings, 100, 2);
  EXPECT_EQ(sampler.batch_per_rank, 4);
  EXPECT_EQ(sampler.num_ranks, 2);
  EXPECT_EQ(sampler.accumulate, 3);
  EXPECT_EQ(sampler.num_samples, 100);
  EXPECT_THROW(plan_sampler(settings, 100, 5), Error);
}

TEST(PlanSampler, FollowsOrderAndLastBatch) {
  Settings settings;
  EXPECT_TRUE(plan_sampler(settings, 100, 1).shuffle);
  EXPECT_FALSE(plan_sampler(settings, 100, 1).drop_last);
  settings.data.order = "sequential";
  settings.data.last_batch = "drop";
  EXPECT_FALSE(plan_sampler(settings, 100, 1).shuffle);
  EXPECT_TRUE(plan_sampler(settings, 100, 1).drop_last);
}

StepPlan plan_of(const Settings& settings, std::int64_t num_samples) {
  return plan_steps(settings, data::Sampler(plan_sampler(settings, num_samples, 1)));
}

TEST(PlanSteps, EndsAtEpochsOrMaxStepsWhicheverIsFirst) {
  Settings settings;
  settings.train.batch_per_rank = 8;
  settings.run.epochs = 3;
  StepPlan plan = plan_of(settings, 20);
  EXPECT_EQ(plan.samples_per_step, 8);
  EXPECT_EQ(plan.steps_per_epoch, 3);  // the last one padded
  EXPECT_EQ(plan.total_steps, 9);
  EXPECT_EQ(plan.num_epochs, 3);
  settings.run.max_steps = 4;
  plan = plan_of(settings, 20);
  EXPECT_EQ(plan.total_steps, 4);
  EXPECT_EQ(plan.num_epochs, 2);  // the second is begun
  settings.run.max_steps = 100;
  EXPECT_EQ(plan_of(settings, 20).total_steps, 9);
  settings.data.last_batch = "drop";
  EXPECT_EQ(plan_of(settings, 20).steps_per_epoch, 2);
}

TEST(PlanSteps, RefusesAWarmUpLongerThanTheRun) {
  Settings settings;
  settings.train.batch_per_rank = 8;
  settings.schedule.warmup_steps = 4;
  EXPECT_THROW(plan_of(settings, 20), Error);
  settings.run.epochs = 2;
  EXPECT_NO_THROW(plan_of(settings, 20));
  settings.run.max_steps = 3;
  EXPECT_THROW(plan_of(settings, 20), Error);
}

TEST(PlanSteps, ThePeakRateFollowsTheGlobalBatch) {
  Settings settings;
  settings.train.batch_per_rank = 8;
  settings.optim.lr_rule = "linear";
  settings.optim.lr_base_batch = 16;
  EXPECT_DOUBLE_EQ(plan_of(settings, 20).peak_lr, settings.optim.lr / 2);
}

TEST(OpenSession, LaysEveryParameterIntoTheArena) {
  TinyRun run;
  const auto session = open_session(run.job);
  std::int64_t elements = 0;
  for (const at::Tensor& parameter : session->model->parameters()) elements += parameter.numel();
  EXPECT_GE(session->arena->layout().total, elements + optim::kNumStats);
  EXPECT_GE(session->buckets.buckets.size(), 2U);
  EXPECT_NO_THROW(session->arena->check_views());
  EXPECT_TRUE(session->model->is_training());
  EXPECT_EQ(session->val_data, nullptr);
}

TEST(OpenSession, FrozenParametersTakeNoPart) {
  TinyRun run;
  run.settings.optim.freeze = "patch_embed.*, blocks.0.*";
  const auto session = open_session(run.job);
  for (const optim::NamedParameter& entry : session->arena->named()) {
    EXPECT_FALSE(entry.name.starts_with("patch_embed.") || entry.name.starts_with("blocks.0."));
  }
  EXPECT_LT(session->arena->named().size(), session->model->parameters().size());
  for (const char* pattern : {"block.0.*", "*"}) {
    run.settings.optim.freeze = pattern;
    EXPECT_THROW(open_session(run.job), Error) << pattern;
  }
}

TEST(OpenSession, NamesTheSettingThatDoesNotFitTheData) {
  TinyRun run;
  const auto refused = [&run](const char* words, auto change) {
    const models::Options before = run.settings.model;
    change(run.settings.model);
    expect_agreed_error(ExitCode::kConfig, words, [&] { open_session(run.job); });
    run.settings.model = before;
  };
  refused("set model.in_channels = 1", [](models::Options& model) { model.in_channels = 3; });
  refused("set model.num_classes = 4", [](models::Options& model) { model.num_classes = 5; });
}

TEST(OpenSession, AGlobOnLayersThatMatchesNothingIsRefused) {
  TinyRun run;
  run.settings.precision.compute = "bf16";
  run.settings.precision.fp32_modules = "blocks.*.attn, haed";
  const char* const words =
      "precision.fp32_modules: haed matches none of 13 layers; one near it is head";
  expect_agreed_error(ExitCode::kConfig, words, [&] { open_session(run.job); });
  run.settings.precision.fp32_modules = "blocks.*.attn, head";
  EXPECT_NO_THROW(open_session(run.job));
}

TEST(OpenSession, ResizesImagesOfAnotherSize) {
  TinyRun run;
  run.settings.model.image_size = 16;
  run.settings.data.val = (run.folder / "val.h5").string();
  write_synthetic(run.settings.data.val, 8, 12);
  const auto session = open_session(run.job);
  const data::Batch* batch = session->loader->next();
  const augment::DeviceBatch fed = session->feeder->feed(*batch);
  EXPECT_EQ(fed.images.size(2), 16);
  EXPECT_EQ(fed.images.size(3), 16);
  session->loader->release(batch, nullptr);
}

TEST(OpenSession, LooksAtTheValidationDataToo) {
  TinyRun run;
  run.settings.data.val = (run.folder / "val.h5").string();
  write_synthetic(run.settings.data.val, 8, kSide, kClasses + 1);
  expect_agreed_error(ExitCode::kConfig, "val.h5", [&] { open_session(run.job); });
  run.settings.data.val = (run.folder / "missing.h5").string();
  expect_agreed_error(ExitCode::kIo, "missing.h5", [&] { open_session(run.job); });
}

// LibTorch's own exceptions come out as one line with the right code.
TEST(OpenSession, MemoryThatIsNotThereIs71) {
  TinyRun run;
  run.settings.model.dim = 1 << 20;  // 12 TiB for the first projection
  expect_agreed_error(
      ExitCode::kOutOfMemory, "train.batch_per_rank", [&] { open_session(run.job); });
}

}  // namespace
}  // namespace lockstep::train
