#include "train/trainer.h"

#include "tiny_run.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace lockstep::train {
namespace {

// Samples of the tiny run's file, one of which cannot be read.
class DamagedDataset final : public data::Dataset {
 public:
  DamagedDataset(std::unique_ptr<data::Dataset> inner, std::int64_t bad)
      : inner_(std::move(inner)), bad_(bad) {}
  const data::DatasetInfo& info() const override { return inner_->info(); }
  void read_pixels(std::int64_t index, std::span<std::byte> out, bool verify) const override {
    if (index == bad_) throw data_error("sample 13 does not match its checksum");
    inner_->read_pixels(index, out, verify);
  }
  std::int64_t label(std::int64_t index) const override { return inner_->label(index); }
  std::int64_t sample_id(std::int64_t index) const override { return inner_->sample_id(index); }

 private:
  std::unique_ptr<data::Dataset> inner_;
  std::int64_t bad_;
};

class TrainerTest : public testing::Test {
 protected:
  std::vector<StepFigures> steps(std::int64_t count) {
    const auto session = open_session(run_.job);
    std::vector<StepFigures> seen;
    Trainer trainer(
        run_.job, *session, [&](const StepFigures& figures) { seen.push_back(figures); });
    for (std::int64_t i = 0; i < count; ++i) trainer.step();
    trainer.drain();
    return seen;
  }
  TinyRun run_;
};

TEST_F(TrainerTest, ReportsEveryStepOnceAndInOrder) {
  run_.settings.run.epochs = 2;
  const std::vector<StepFigures> seen = steps(6);
  ASSERT_EQ(seen.size(), 6U);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].step, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(seen[i].epoch, static_cast<std::int64_t>(i) / 3);
    EXPECT_EQ(seen[i].num_real_global, i % 3 == 2 ? 4 : 8);  // 20 samples: 8, 8, 4 and padding
    EXPECT_EQ(seen[i].images, seen[i].num_real_global);
    EXPECT_EQ(seen[i].bytes_read, seen[i].images * kSide * kSide);
    EXPECT_NEAR(seen[i].loss, std::log(4.0), 1.0);
    EXPECT_GT(seen[i].grad_norm, 0);
    EXPECT_FALSE(seen[i].skipped);
  }
}

TEST_F(TrainerTest, TheLedgerCloses) {
  run_.settings.run.epochs = 4;
  double bins = 0;
  double wall = 0;
  for (const StepFigures& figures : steps(12)) {
    bins += std::accumulate(figures.seconds.begin(), figures.seconds.end(), 0.0);
    wall += figures.wall_s;
  }
  EXPECT_NEAR(bins, wall, 0.01 * wall);
}

TEST_F(TrainerTest, MemoryPeakHoldsModelAndActivations) {
  const auto session = open_session(run_.job);
  const std::int64_t fixed = session->arena->layout().total * 16;
  const std::vector<StepFigures> seen = steps(2);
  EXPECT_GT(seen[1].memory_peak_bytes(), fixed);
  EXPECT_LT(seen[1].memory_peak_bytes(), fixed + (1 << 20));
  const auto& [forward, backward, update] = seen[1].memory_bytes;
  EXPECT_GT(forward, update) << "forward builds up what backward needs";
  EXPECT_GT(backward, update);
  EXPECT_GE(update, fixed);
}

TEST_F(TrainerTest, MicroBatchesOfOneStepAreOneBatch) {
  const std::vector<StepFigures> whole = steps(3);
  run_.settings.train.batch_per_rank = 2;
  run_.settings.train.accumulate = 4;
  const std::vector<StepFigures> parts = steps(3);
  ASSERT_EQ(parts.size(), whole.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    EXPECT_NEAR(parts[i].loss, whole[i].loss, 1e-6 * whole[i].loss);
    EXPECT_EQ(parts[i].num_real_global, whole[i].num_real_global);
  }
}

TEST_F(TrainerTest, ASampleThatCannotBeReadDropsTheStep) {
  run_.settings.data.order = "sequential";
  auto inner = data::open_dataset(run_.settings.data.train, run_.settings.data);
  const auto session =
      open_session(run_.job, std::make_unique<DamagedDataset>(std::move(inner), 13));
  Trainer trainer(run_.job, *session, [](const StepFigures&) {});
  trainer.step();
  const at::Tensor before = session->arena->parameters().clone();
  expect_agreed_error(ExitCode::kBadData, "sample 13", [&] { trainer.step(); });
  EXPECT_TRUE(session->arena->parameters().equal(before)) << "the step changed the weights";
  EXPECT_EQ(run_.position.step, 2);
  EXPECT_EQ(run_.position.phase, "step");
}

TEST_F(TrainerTest, GivesUpAfterStepsThatAreNotFinite) {
  for (const char* compute : {"fp32", "fp16"}) {
    run_.settings.precision.compute = compute;
    run_.settings.precision.loss_scale = 1;
    run_.settings.run.epochs = 5;
    const auto session = open_session(run_.job);
    session->arena->parameters().fill_(std::numeric_limits<float>::quiet_NaN());
    std::int64_t skipped = 0;
    Trainer trainer(run_.job, *session, [&](const StepFigures& figures) {
      skipped += figures.skipped ? 1 : 0;
    });
    const char* const where = "first in the output of patch_embed.proj on rank 0";
    expect_agreed_error(ExitCode::kDiverged, where, [&] {
      for (std::int64_t i = 0; i < 15; ++i) trainer.step();
    });
    EXPECT_EQ(skipped, 5) << compute;
  }
}

TEST_F(TrainerTest, ALossScaleThatIsTooHighIsNoDivergence) {
  run_.settings.precision.compute = "fp16";
  run_.settings.precision.loss_scale = 1e12;
  run_.settings.run.epochs = 5;
  std::int64_t skipped = 0;
  for (const StepFigures& figures : steps(15)) skipped += figures.skipped ? 1 : 0;
  EXPECT_GT(skipped, 5);
}

TEST_F(TrainerTest, AsksToStopWhenTimeIsUp) {
  run_.settings.run.max_seconds = 1e-9;
  const auto session = open_session(run_.job);
  Trainer trainer(run_.job, *session, [](const StepFigures&) {});
  EXPECT_FALSE(trainer.stop_agreed());
  trainer.step();
  EXPECT_TRUE(trainer.stop_agreed());
}

// Both epochs' padded last steps too.
TEST_F(TrainerTest, OutOfMemoryIsDoneAgainInSmallerMicroBatches) {
  run_.settings.model.dim = 32;
  run_.settings.model.depth = 4;
  run_.settings.model.patch_size = 1;
  run_.settings.model.dropout = 0.1;
  run_.settings.run.epochs = 2;
  run_.settings.train.accumulate = 2;
  run_.settings.train.batch_per_rank = 4;
  const std::vector<StepFigures> plain = steps(6);
  const std::int64_t limit_mib = (plain[0].memory_peak_bytes() >> 20) - 1;
  ASSERT_GE(limit_mib, 2);
  run_.settings.memory.limit_mib = limit_mib;
  expect_agreed_error(ExitCode::kOutOfMemory, "memory.limit_mib", [&] { steps(6); });
  run_.settings.memory.on_oom = "shrink";
  const std::vector<StepFigures> found = steps(6);
  ASSERT_EQ(found.size(), plain.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].step, plain[i].step);
    EXPECT_EQ(found[i].epoch, plain[i].epoch);
    EXPECT_EQ(found[i].images, plain[i].images);
    EXPECT_NEAR(found[i].loss, plain[i].loss, 1e-5 * plain[i].loss);
    EXPECT_NEAR(found[i].grad_norm, plain[i].grad_norm, 1e-4 * plain[i].grad_norm);
    EXPECT_LE(found[i].memory_peak_bytes(), limit_mib << 20);
  }
}

TEST_F(TrainerTest, ARunThatNeverFitsEndsWithOneMessage) {
  run_.settings.model.dim = 32;
  run_.settings.model.patch_size = 1;
  run_.settings.memory.on_oom = "shrink";
  run_.settings.memory.limit_mib = 1;
  run_.settings.model.depth = 12;
  expect_agreed_error(ExitCode::kOutOfMemory, "out of memory", [&] { steps(1); });
}

}  // namespace
}  // namespace lockstep::train
