#include "train/step_log.h"

#include "tiny_run.h"

#include <lockstep/base/log.h>
#include <lockstep/base/option.h>
#include <lockstep/records/reader.h>

#include <nlohmann/json.hpp>

namespace lockstep::train {
namespace {

TEST(ModelMetadata, BringsTheModelBack) {
  Settings settings;
  settings.model = tiny_model();
  settings.model.pool = "avg";
  settings.model.layer_scale = 0.1 + 0.2;
  settings.precision.compute = "bf16";
  data::DatasetInfo info;
  info.classes = {"boot", "\"bag\"", "h\xC3\xA4t"};
  info.image_mean = {0.1};
  info.image_std = {1.0 / 3};
  const auto metadata = model_metadata(settings, info);
  models::Options model;
  OptionTable table;
  models::bind_options(table, model);
  for (const Option& option : table.options()) option.set(metadata.at(option.name()));
  EXPECT_EQ(model.image_size, kSide);
  EXPECT_EQ(model.dim, settings.model.dim);
  EXPECT_EQ(model.pool, "avg");
  EXPECT_EQ(model.layer_scale, settings.model.layer_scale);
  using Json = nlohmann::json;
  EXPECT_EQ(Json::parse(metadata.at("classes")).get<std::vector<std::string>>(), info.classes);
  EXPECT_EQ(Json::parse(metadata.at("image_std")).get<std::vector<double>>(), info.image_std);
  EXPECT_EQ(metadata.at("precision.compute"), "bf16");
}

double figure(const records::EvalFigures& figures, const std::string& name) {
  for (const auto& [key, value] : figures) {
    if (key == name) return value;
  }
  ADD_FAILURE() << name << " is missing";
  return -1;
}

class StepLogTest : public testing::Test {
 protected:
  StepLogTest() {
    run_.settings.telemetry.log_every = 2;
    const auto data = data::open_dataset(run_.settings.data.train, run_.settings.data);
    folder_.create(*data, nullptr);
  }
  ~StepLogTest() override { log::close_file(); }

  static StepFigures figures_of(std::int64_t step) {
    StepFigures figures;
    figures.step = step;
    figures.loss = 1.0 / static_cast<double>(step);
    figures.num_real_global = 8;
    figures.images = 8;
    figures.memory_bytes = {step == 1 ? 5000 : 900, 1000, 800};
    figures.wall_s = 0.5;
    figures.seconds[0] = 0.1;
    return figures;
  }
  std::vector<records::MetricsRecord> lines() const {
    return records::read_metrics_file(run_.run_dir() / "metrics.jsonl").lines;
  }

  TinyRun run_;
  RunFolder folder_{run_.job};
  StepPlan plan_{8, 8, 5, 10, 2};
};

TEST_F(StepLogTest, LogsEveryFewStepsAndTheEndOfAnEpoch) {
  StepLog log(run_.job, plan_, folder_);
  for (std::int64_t step = 1; step <= 5; ++step) log.write(figures_of(step));
  EXPECT_EQ(lines().size(), 2U) << "the epoch's last line waits for its evaluation";
  eval::ClassificationResult result;
  result.top1 = 0.25;
  log.write_eval(result);
  const auto written = lines();
  ASSERT_EQ(written.size(), 3U);
  EXPECT_EQ(written[0].step, 2);
  EXPECT_EQ(written[1].step, 4);
  EXPECT_EQ(written[2].step, 5);
  EXPECT_EQ(written[2].loss, 0.2);
  EXPECT_TRUE(written[1].eval.empty());
  EXPECT_EQ(figure(written[2].eval, "top1"), 0.25);
  EXPECT_EQ(written[0].memory_peak_bytes, 5000) << "the peak of all steps since the line before";
  EXPECT_EQ(written[1].memory_peak_bytes, 1000);
  EXPECT_NEAR(written[0].data_wait_ms, 100, 1e-9);
}

TEST_F(StepLogTest, EveryStepIsInTheLedgerOnce) {
  StepLog log(run_.job, plan_, folder_);
  for (std::int64_t step = 1; step <= 3; ++step) log.write(figures_of(step));
  const auto file = records::read_rank_file(run_.run_dir() / "ranks" / "rank_00000.jsonl");
  ASSERT_EQ(file.segments.size(), 1U);
  ASSERT_EQ(file.segments[0].steps.size(), 3U);
  EXPECT_EQ(file.segments[0].steps[2].step, 3);
  EXPECT_EQ(file.segments[0].steps[2].wall_s, 0.5);
  EXPECT_EQ(file.segments[0].steps[0].memory_bytes[0], 5000);
  EXPECT_EQ(file.segments[0].steps[2].memory_bytes[2], 800);
  EXPECT_EQ(file.header().world_size, 1);
}

TEST_F(StepLogTest, ARunThatStopsEarlyLogsItsLastStep) {
  StepLog log(run_.job, plan_, folder_);
  for (std::int64_t step = 1; step <= 3; ++step) log.write(figures_of(step));
  log.end_steps();
  log.release();
  ASSERT_EQ(lines().size(), 2U);
  EXPECT_EQ(lines().back().step, 3);
  log.end_steps();
  log.release();
  EXPECT_EQ(lines().size(), 2U);
}

TEST_F(StepLogTest, TheResultHoldsTheFinalFigures) {
  StepLog log(run_.job, plan_, folder_);
  RunTotals totals;
  totals.status = "done";
  totals.steps = 10;
  totals.epochs = 2;
  totals.images = 80;
  totals.wall_s = 4;
  totals.loss = 0.125;
  totals.eval_s = 1.5;
  totals.snapshot_s = 0.25;
  totals.memory_bytes = {10, 30, 20};
  totals.eval = eval::ClassificationResult{40, 0.5, 0.75, 1.0};
  log.write_result(totals);
  const records::RunResult result = records::read_result(run_.run_dir() / "result.json");
  EXPECT_EQ(result.status, "done");
  EXPECT_EQ(result.images_per_s, 20);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(figure(result.eval, "top1"), 0.75);
  const auto json = nlohmann::json::parse(read_text(run_.run_dir() / "result.json"));
  EXPECT_EQ(json.at("eval_s"), 1.5);
  EXPECT_EQ(json.at("snapshot_s"), 0.25);
  EXPECT_EQ(json.at("memory_backward_bytes"), 30);
  EXPECT_EQ(json.at("memory_update_bytes"), 20);
  EXPECT_EQ(json.at("memory_peak_bytes"), 30);
}

}  // namespace
}  // namespace lockstep::train
