#include "tiny_run.h"

#include <lockstep/base/log.h>
#include <lockstep/records/reader.h>
#include <lockstep/train/run.h>
#include <lockstep/weights/safetensors.h>

#include <nlohmann/json.hpp>

namespace lockstep::train {
namespace {

class RunTest : public testing::Test {
 protected:
  ~RunTest() override { log::close_file(); }
  records::RunResult result() const { return records::read_result(run_.run_dir() / "result.json"); }
  std::vector<records::MetricsRecord> lines() const {
    return records::read_metrics_file(run_.run_dir() / "metrics.jsonl").lines;
  }
  TinyRun run_;
};

TEST_F(RunTest, TrainsEvaluatesAndSaves) {
  run_.add_val(12);
  run_.settings.run.epochs = 2;
  run(run_.job);
  EXPECT_EQ(result().status, "done");
  EXPECT_EQ(result().steps, 6);
  EXPECT_EQ(result().epochs, 2);
  EXPECT_EQ(result().images, 40);
  ASSERT_EQ(lines().size(), 6U);
  EXPECT_FALSE(lines()[2].eval.empty()) << "after each epoch";
  EXPECT_TRUE(lines()[3].eval.empty());
  EXPECT_EQ(lines()[5].eval, result().eval);
  EXPECT_EQ(lines()[5].loss, result().loss);
  const weights::SafetensorsFile saved(run_.run_dir() / "snapshots" / "step_00000006" /
                                       "model.safetensors");
  EXPECT_EQ(saved.metadata().at("model.dim"), "8");
  EXPECT_TRUE(saved.tensors().contains("blocks.0.attn.qkv.weight"));
}

TEST_F(RunTest, TheTimeOfAnEvaluationIsInTheLineOfTheNextStep) {
  run_.add_val(12);
  run_.settings.run.epochs = 2;
  run(run_.job);
  const auto file = records::read_rank_file(run_.run_dir() / "ranks" / "rank_00000.jsonl");
  const std::vector<records::StepRecord>& steps = file.segments.at(0).steps;
  constexpr std::size_t kEval = 7;
  ASSERT_EQ(records::kBinKeys[kEval], "eval");
  ASSERT_EQ(steps.size(), 6U);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_EQ(steps[i].bins_s[kEval] > 0, i == 3) << "step " << steps[i].step;
  }
  const auto json = nlohmann::json::parse(read_text(run_.run_dir() / "result.json"));
  EXPECT_GT(json.at("eval_s"), 0) << "the evaluation after the last step";
  EXPECT_GT(json.at("snapshot_s"), 0);
  std::int64_t forward = 0;
  for (const records::StepRecord& step : steps) forward = std::max(forward, step.memory_bytes[0]);
  EXPECT_GT(forward, 0);
  EXPECT_EQ(json.at("memory_forward_bytes"), forward);
  EXPECT_GE(json.at("memory_peak_bytes"), json.at("memory_backward_bytes"));
}

TEST_F(RunTest, EvaluatesAtTheEndAlsoWhenNoneIsAskedForBetween) {
  run_.add_val(12);
  run_.settings.run.epochs = 2;
  run_.settings.eval.every_epochs = 0;
  run(run_.job);
  EXPECT_TRUE(lines()[2].eval.empty());
  EXPECT_FALSE(lines()[5].eval.empty());
}

TEST_F(RunTest, AStopIsARunThatEndsEarlyInGoodOrder) {
  run_.add_val(12);
  run_.settings.run.epochs = 50;
  run_.settings.run.max_seconds = 1e-9;
  run_.settings.telemetry.log_every = 100;
  run(run_.job);
  EXPECT_EQ(result().status, "stopped");
  EXPECT_EQ(result().steps, 1);
  EXPECT_EQ(result().epochs, 0);
  EXPECT_EQ(result().exit_code, 0);
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_FALSE(lines()[0].eval.empty());
  EXPECT_TRUE(std::filesystem::exists(run_.run_dir() / "snapshots" / "step_00000001"));
}

TEST_F(RunTest, AFailureInTheEvaluationIsWrittenDown) {
  run_.add_val(12);
  spoil_sample(run_.settings.data.val, 7);
  run_.settings.run.epochs = 2;
  expect_agreed_error(ExitCode::kBadData, "val.h5", [&] { run(run_.job); });
  EXPECT_EQ(run_.position.phase, "eval");
  EXPECT_EQ(result().status, "failed");
  EXPECT_EQ(result().exit_code, 65);
  EXPECT_EQ(result().steps, 3);
  EXPECT_TRUE(result().eval.empty());
  EXPECT_EQ(lines().size(), 3U) << "the line that waited for the evaluation";
}

TEST_F(RunTest, ARefusedRunLeavesNoFolder) {
  run_.settings.model.num_classes = 7;
  expect_agreed_error(ExitCode::kConfig, "num_classes", [&] { run(run_.job); });
  EXPECT_FALSE(std::filesystem::exists(run_.run_dir()));
}

TEST_F(RunTest, ADivergedRunSaysSoInItsResult) {
  run_.settings.optim.lr = 1e30;
  run_.settings.run.epochs = 10;
  expect_agreed_error(ExitCode::kDiverged, "optim.lr", [&] { run(run_.job); });
  EXPECT_EQ(result().status, "failed");
  EXPECT_EQ(result().exit_code, 76);
  EXPECT_EQ(static_cast<std::size_t>(result().steps), lines().size());
}

}  // namespace
}  // namespace lockstep::train
