#include "tiny_run.h"

#include <lockstep/train/run.h>
#include <lockstep/weights/module_tensors.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/rand.h>

#include <cmath>

namespace lockstep::train {
namespace {

TEST(BenchStep, TimesBlocksOnSyntheticDataWhenNoneIsNamed) {
  TinyRun run;
  run.settings.data.train = "";
  const BenchStepResult result = bench_step(run.job, {3, 2, 4, ""});
  ASSERT_EQ(result.block_seconds.size(), 3U);
  for (const double seconds : result.block_seconds) EXPECT_GT(seconds, 0);
  ASSERT_EQ(result.step_seconds.size(), 6U);
  for (std::size_t block = 0; block < 3; ++block) {
    const double steps = result.step_seconds[2 * block] + result.step_seconds[2 * block + 1];
    EXPECT_GT(steps, 0);
    EXPECT_LE(steps, 2 * result.block_seconds[block] * 1.01);
  }
  ASSERT_EQ(result.losses.size(), 4U);
  for (const double loss : result.losses) EXPECT_NEAR(loss, std::log(4.0), 1.0);
  EXPECT_FALSE(std::filesystem::exists(run.run_dir()));
}

TEST(BenchStep, SaysWhenTheRunIsTooShort) {
  TinyRun run;  // 3 steps
  expect_agreed_error(ExitCode::kConfig, "takes 4 steps but the run has 3", [&] {
    bench_step(run.job, {1, 2, 2, ""});
  });
}

TEST(BenchStep, TakesTheSameBatchInEveryStep) {
  TinyRun run;
  run.settings.data.train = "";
  run.settings.optim.lr = 0;
  const std::filesystem::path file = run.folder / "batch.safetensors";
  const at::Tensor x = at::rand({8, 1, kSide, kSide});
  const at::Tensor y = at::arange(8, at::kLong).remainder(kClasses);
  weights::write_safetensors(file, {{"x", weights::view_of(x)}, {"y", weights::view_of(y)}}, {});
  const BenchStepResult result = bench_step(run.job, {1, 1, 3, file.string()});
  EXPECT_EQ(result.losses, std::vector<double>(3, result.losses.at(0)));
}

TEST(BenchStep, RefusesAFileWithoutABatch) {
  TinyRun run;
  run.settings.data.train = "";
  const std::filesystem::path file = run.folder / "batch.safetensors";
  const at::Tensor x = at::rand({4, 1, kSide, kSide});
  weights::write_safetensors(file, {{"x", weights::view_of(x)}}, {});
  expect_agreed_error(ExitCode::kBadData, "lacks y", [&] {
    bench_step(run.job, {1, 1, 1, file.string()});
  });
}

}  // namespace
}  // namespace lockstep::train
