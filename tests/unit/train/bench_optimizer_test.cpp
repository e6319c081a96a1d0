#include "tiny_run.h"

#include <lockstep/train/run.h>

#include <gmock/gmock.h>

namespace lockstep::train {
namespace {

TEST(BenchOptimizer, TimesEachBlockAndCountsTheState) {
  TinyRun run;
  run.settings.optim.ema_decay = 0.9;
  const BenchOptimizerResult result = bench_optimizer(run.job, {3, 2, 1});
  EXPECT_THAT(result.block_seconds, testing::SizeIs(3));
  EXPECT_THAT(result.block_seconds, testing::Each(testing::Gt(0.0)));
  EXPECT_GT(result.num_parameters, 0);
  // Two moments and the average; padding counts.
  EXPECT_GE(result.state_bytes, 12 * result.num_parameters);
}

}  // namespace
}  // namespace lockstep::train
