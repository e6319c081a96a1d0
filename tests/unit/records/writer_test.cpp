#include "../../support/temporary_folder.h"
#include "allocations.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/records/reader.h>
#include <lockstep/records/writer.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmath>
#include <csignal>

namespace lockstep::records {
namespace {

RankHeader header_of(std::int64_t rank, std::int64_t world_size) {
  return {rank, world_size, "node\"1", 42, "cpu", "build", "2026-01-31T12:00:00Z"};
}

StepRecord step_of(std::int64_t step) {
  StepRecord record;
  record.step = step;
  record.epoch = 1;
  for (std::size_t bin = 0; bin < kNumBins; ++bin) {
    record.bins_s[bin] = 0.001 * static_cast<double>(bin + 1);
  }
  record.wall_s = 0.045;
  record.images = 64;
  record.bytes_read = 50176;
  record.comm_total_s = 0.004;
  record.comm_bytes = 1 << 20;
  record.straggler_wait_s = 0.0005;
  record.memory_bytes = {30, 20, 10};
  return record;
}

TEST(RankWriter, WritesTheAgreedKeysInTheAgreedOrder) {
  TemporaryFolder folder;
  {
    RankWriter writer(folder / "r.jsonl", header_of(0, 2));
    EXPECT_TRUE(writer.write(step_of(1)));
  }
  const std::string text = read_text(folder / "r.jsonl");
  EXPECT_EQ(
      text.substr(text.find('\n') + 1),
      "{\"step\":1,\"epoch\":1,\"data_wait\":0.001,\"host_to_device\":0.002,\"forward\":0.003,"
      "\"backward\":0.004,\"comm_exposed\":0.005,\"optimizer\":0.006,\"snapshot\":0.007,"
      "\"eval\":0.008,\"other\":0.009000000000000001,\"wall\":0.045,\"images\":64,"
      "\"bytes_read\":50176,\"comm_total\":0.004,\"comm_bytes\":1048576,"
      "\"straggler_wait\":5e-04,\"memory_forward_bytes\":30,\"memory_backward_bytes\":20,"
      "\"memory_update_bytes\":10}\n");
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "{\"schema\":1,\"rank\":0,\"world_size\":2,\"host\":\"node\\\"1\",\"pid\":42,"
            "\"device\":\"cpu\",\"build_id\":\"build\",\"start_time\":\"2026-01-31T12:00:00Z\"}");
}

TEST(RankWriter, EachLineIsInTheFileWhenWriteReturns) {
  TemporaryFolder folder;
  RankWriter writer(folder / "r.jsonl", header_of(0, 1));
  for (std::int64_t step = 1; step <= 3; ++step) {
    writer.write(step_of(step));
    EXPECT_EQ(read_rank_file(folder / "r.jsonl").segments[0].steps.size(),
              static_cast<std::size_t>(step));
  }
}

TEST(RankWriter, AllocatesNothingAStep) {
  TemporaryFolder folder;
  RankWriter writer(folder / "r.jsonl", header_of(0, 1));
  const std::size_t before = num_allocations();
  for (std::int64_t step = 1; step <= 100; ++step) writer.write(step_of(step));
  EXPECT_EQ(num_allocations(), before);
}

TEST(RankWriter, GoesOnBehindTheStepsOfAnEarlierRun) {
  TemporaryFolder folder;
  { RankWriter(folder / "r.jsonl", header_of(0, 4)).write(step_of(1)); }
  { RankWriter(folder / "r.jsonl", header_of(0, 2)).write(step_of(2)); }
  const RankFile file = read_rank_file(folder / "r.jsonl");
  ASSERT_EQ(file.segments.size(), 2U);
  EXPECT_EQ(file.segments[0].header.world_size, 4);
  EXPECT_EQ(file.header().world_size, 2);
  EXPECT_EQ(file.segments[1].steps[0].step, 2);
}

TEST(RankWriter, StartsOnALineOfItsOwnAfterACrash) {
  TemporaryFolder folder;
  { RankWriter(folder / "r.jsonl", header_of(0, 1)).write(step_of(1)); }
  write_file(folder / "r.jsonl", read_text(folder / "r.jsonl") + "{\"step\":2,\"ep");
  { RankWriter(folder / "r.jsonl", header_of(0, 1)).write(step_of(2)); }
  const RankFile file = read_rank_file(folder / "r.jsonl");
  EXPECT_FALSE(file.last_line_cut);
  ASSERT_EQ(file.segments.size(), 2U);
  EXPECT_EQ(file.segments[1].steps.size(), 1U);
}

TEST(RankWriter, AFolderThatIsMissingIsNamed) {
  TemporaryFolder folder;
  try {
    RankWriter(folder / "none/r.jsonl", header_of(0, 1));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kIo);
    EXPECT_THAT(error.what(), testing::HasSubstr("none/r.jsonl"));
  }
}

TEST(LineFile, AFullDiskWarnsOnceAndStops) {
  LineFile file("/dev/full");
  testing::internal::CaptureStderr();
  EXPECT_FALSE(file.append("{}\n"));
  EXPECT_TRUE(file.failed());
  EXPECT_FALSE(file.append("{}\n"));
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, testing::HasSubstr("/dev/full"));
  EXPECT_EQ(said.find("cannot write"), said.rfind("cannot write"));
}

TEST(LineFile, ALineThatDoesNotFitIsTakenBack) {
  TemporaryFolder folder;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  LineFile file(folder / "f.jsonl");
  const rlimit small{12, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const bool first = file.append("1234567\n");
  const bool second = file.append("1234567\n");
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_TRUE(first);
  EXPECT_FALSE(second);
  EXPECT_EQ(read_text(folder / "f.jsonl"), "1234567\n");
}

TEST(MetricsWriter, LossReadsBackExactlyAndEvalStandsWhereItApplies) {
  TemporaryFolder folder;
  {
    MetricsWriter writer(folder / "metrics.jsonl");
    MetricsRecord record;
    record.step = 1;
    record.loss = 2.3025850929940455;
    record.grad_norm = std::numeric_limits<double>::infinity();
    EXPECT_TRUE(writer.write(record));
    record.step = 2;
    record.eval = {{"top1", 0.875}, {"top5", 0.99}};
    EXPECT_TRUE(writer.write(record));
  }
  const std::string text = read_text(folder / "metrics.jsonl");
  EXPECT_THAT(text, testing::HasSubstr("\"loss\":2.3025850929940455,"));
  EXPECT_THAT(text, testing::HasSubstr("\"grad_norm\":null"));
  const MetricsFile file = read_metrics_file(folder / "metrics.jsonl");
  ASSERT_EQ(file.lines.size(), 2U);
  EXPECT_EQ(file.lines[0].loss, 2.3025850929940455);
  EXPECT_TRUE(std::isnan(file.lines[0].grad_norm));
  EXPECT_TRUE(file.lines[0].eval.empty());
  EXPECT_EQ(file.lines[1].eval, (EvalFigures{{"top1", 0.875}, {"top5", 0.99}}));
}

TEST(WriteResult, HoldsTheAgreedKeys) {
  TemporaryFolder folder;
  RunResult result;
  result.status = "done";
  result.steps = 100;
  result.images = 6400;
  result.wall_s = 12.5;
  result.images_per_s = 512;
  result.eval = {{"top1", 0.9}};
  result.more = {{"device_utilisation", 0.75}};
  write_result(folder / "result.json", result);
  const auto json = nlohmann::json::parse(read_text(folder / "result.json"));
  for (const char* key : {"schema",
                          "status",
                          "steps",
                          "epochs",
                          "images",
                          "wall_s",
                          "images_per_s",
                          "loss",
                          "eval",
                          "exit_code"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_TRUE(json["loss"].is_null());
  EXPECT_EQ(json["eval"]["top1"], 0.9);
  EXPECT_EQ(json["device_utilisation"], 0.75);
  const RunResult back = read_result(folder / "result.json");
  EXPECT_EQ(back.images_per_s, 512);
  EXPECT_EQ(back.eval, result.eval);
}

TEST(RankFileName, HasFiveDigits) {
  EXPECT_EQ(rank_file_name(0), "rank_00000.jsonl");
  EXPECT_EQ(rank_file_name(12345), "rank_12345.jsonl");
}

}  // namespace
}  // namespace lockstep::records
