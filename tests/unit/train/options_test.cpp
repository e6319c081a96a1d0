#include "refusal.h"

#include <lockstep/train/options.h>

namespace lockstep::train {
namespace {

void expect_run_refused(const std::string& part, void (*change)(RunOptions&)) {
  RunOptions options;
  change(options);
  expect_refusal(ExitCode::kConfig, part, [&] { validate(options); });
}

void expect_train_refused(const std::string& part, void (*change)(TrainOptions&)) {
  TrainOptions options;
  change(options);
  expect_refusal(ExitCode::kConfig, part, [&] { validate(options); });
}

TEST(RunOptions, DefaultsAreValid) {
  EXPECT_NO_THROW(validate(RunOptions{}));
  EXPECT_NO_THROW(validate(TrainOptions{}));
}

TEST(RunOptions, RefuseLengthsThatAreNone) {
  expect_run_refused("run.epochs = 0", [](RunOptions& options) { options.epochs = 0; });
  expect_run_refused("run.max_steps = -1", [](RunOptions& options) { options.max_steps = -1; });
  expect_run_refused("run.max_seconds = -1", [](RunOptions& options) { options.max_seconds = -1; });
}

TEST(TrainOptions, RefuseBatchesThatAreNone) {
  expect_train_refused("train.batch_per_rank = 0",
                       [](TrainOptions& options) { options.batch_per_rank = 0; });
  expect_train_refused("train.accumulate = 0",
                       [](TrainOptions& options) { options.accumulate = 0; });
  expect_train_refused("train.global_batch = -8",
                       [](TrainOptions& options) { options.global_batch = -8; });
  expect_train_refused("train.label_smoothing = 1",
                       [](TrainOptions& options) { options.label_smoothing = 1; });
}

TEST(TrainOptions, GlobalBatchIsAMultipleOfAccumulate) {
  expect_train_refused("not a multiple of train.accumulate = 3", [](TrainOptions& options) {
    options.global_batch = 8;
    options.accumulate = 3;
  });
}

TEST(TrainOptions, BatchPerRankFollowsFromTheGlobalBatch) {
  TrainOptions options;
  options.accumulate = 2;
  EXPECT_EQ(resolve_batch_per_rank(options, 4), options.batch_per_rank);
  options.global_batch = 64;
  EXPECT_EQ(resolve_batch_per_rank(options, 4), 8);
  expect_refusal(
      ExitCode::kConfig, "take a multiple of 6", [&] { resolve_batch_per_rank(options, 3); });
}

}  // namespace
}  // namespace lockstep::train
