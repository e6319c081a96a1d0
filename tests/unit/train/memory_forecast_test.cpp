#include "train/memory_forecast.h"

#include "tiny_run.h"
#include "train/trainer.h"

namespace lockstep::train {
namespace {

LiveCurve curve(std::int64_t images, std::vector<std::int64_t> points, std::size_t begin) {
  return {images, std::move(points), begin};
}

// Another point is the highest with many images than with few.
TEST(MemoryForecast, EachPointIsALine) {
  const PassPeaks peaks =
      extrapolate(curve(2, {100, 20, 105, 30}, 2), curve(3, {100, 30, 105, 50}, 2), 20);
  EXPECT_EQ(peaks.forward, 200);
  EXPECT_EQ(peaks.backward, 390);
}

TEST(MemoryForecast, PassesThatDifferGiveLinesOfTheirPeaks) {
  const PassPeaks peaks = extrapolate(curve(2, {10, 20, 5}, 2), curve(3, {10, 25, 1, 7}, 3), 4);
  EXPECT_EQ(peaks.forward, 30);
  EXPECT_EQ(peaks.backward, 9);
}

void expect_forecast(TinyRun& run) {
  const auto session = open_session(run.job);
  const data::Batch* batch = session->loader->next();
  const MemoryForecast forecast = forecast_memory(run.job, *session, *batch);
  session->loader->release(batch, nullptr);
  session->arena->gradients().zero_();
  const auto again = open_session(run.job);
  StepFigures seen;
  Trainer trainer(run.job, *again, [&](const StepFigures& figures) { seen = figures; });
  for (int i = 0; i < 3; ++i) trainer.step();
  trainer.drain();
  for (std::size_t i = 0; i < kNumMemoryPhases; ++i) {
    const auto found = static_cast<double>(seen.memory_bytes[i]);
    EXPECT_NEAR(static_cast<double>(forecast.peaks[i]), found, 0.02 * found) << "phase " << i;
  }
  EXPECT_NEAR(static_cast<double>(forecast.peak_bytes()),
              static_cast<double>(seen.memory_peak_bytes()),
              0.02 * static_cast<double>(seen.memory_peak_bytes()));
  EXPECT_EQ(forecast.state_bytes, state_bytes(*again));
}

TEST(MemoryForecast, IsWhatTheStepsHold) {
  TinyRun run(64);
  run.settings.train.batch_per_rank = 16;
  run.settings.model.depth = 4;
  expect_forecast(run);
  run.settings.memory.recompute = "every:1";
  expect_forecast(run);
  run.settings.augment.mixup_alpha = 0.2;
  run.settings.model.dropout = 0.1;
  run.settings.precision.compute = "bf16";
  expect_forecast(run);
  run.settings.train.batch_per_rank = 3;
  run.settings.train.accumulate = 2;
  expect_forecast(run);
}

}  // namespace
}  // namespace lockstep::train
