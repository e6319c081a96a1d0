#include "../../support/temporary_folder.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/random.h>
#include <lockstep/records/reader.h>
#include <lockstep/records/writer.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace lockstep::records {
namespace {

using testing::HasSubstr;

// A rank's file of `num_steps` steps, as text.
std::string file_text(const TemporaryFolder& folder, std::int64_t num_steps) {
  const auto path = folder / "made.jsonl";
  std::filesystem::remove(path);
  RankWriter writer(path, {1, 2, "node", 42, "cpu", "build", "2026-01-31T12:00:00Z"});
  for (std::int64_t step = 1; step <= num_steps; ++step) {
    StepRecord record;
    record.step = step;
    record.bins_s.fill(0.001);
    record.wall_s = 0.009;
    record.images = 8;
    writer.write(record);
  }
  return read_text(path);
}

std::string failure(const std::filesystem::path& path) {
  try {
    read_rank_file(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    return error.what();
  }
  return "no error";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

class ReadRankFile : public testing::Test {
 protected:
  std::filesystem::path put(const std::string& text) {
    write_file(folder_ / "r.jsonl", text);
    return folder_ / "r.jsonl";
  }
  TemporaryFolder folder_;
};

TEST_F(ReadRankFile, ReadsHeaderAndSteps) {
  const RankFile file = read_rank_file(put(file_text(folder_, 3)));
  EXPECT_EQ(file.header().rank, 1);
  EXPECT_EQ(file.header().world_size, 2);
  EXPECT_EQ(file.header().host, "node");
  EXPECT_FALSE(file.last_line_cut);
  ASSERT_EQ(file.segments[0].steps.size(), 3U);
  EXPECT_EQ(file.segments[0].steps[2].step, 3);
  EXPECT_EQ(file.segments[0].steps[2].wall_s, 0.009);
}

TEST_F(ReadRankFile, EveryCutOfTheLastLineIsReportedAndCostsOneStep) {
  const std::string text = file_text(folder_, 3);
  const std::size_t last_line = text.rfind('\n', text.size() - 2) + 1;
  for (std::size_t size = last_line + 1; size + 1 < text.size(); size += 7) {
    const RankFile file = read_rank_file(put(text.substr(0, size)));
    EXPECT_TRUE(file.last_line_cut);
    EXPECT_EQ(file.segments[0].steps.size(), 2U);
  }
  EXPECT_FALSE(read_rank_file(put(text.substr(0, last_line))).last_line_cut);
}

TEST_F(ReadRankFile, AHeaderThatIsCutIsAnError) {
  EXPECT_THAT(failure(put(file_text(folder_, 0).substr(0, 20))), HasSubstr("header line"));
  EXPECT_THAT(failure(put("")), HasSubstr("header line is missing"));
}

TEST_F(ReadRankFile, AnotherSchemaVersionIsNamedWithFileAndLine) {
  const auto path = put(replaced(file_text(folder_, 2), "\"schema\":1", "\"schema\":2"));
  EXPECT_THAT(failure(path), HasSubstr("r.jsonl:1: schema version 2"));
}

TEST_F(ReadRankFile, DamageInTheMiddleIsNamedWithItsLine) {
  EXPECT_THAT(failure(put(replaced(file_text(folder_, 3), "\"step\":2", "\"step\"!2"))),
              HasSubstr("r.jsonl:3: not a JSON object"));
  EXPECT_THAT(failure(put(replaced(file_text(folder_, 3), "\"wall\"", "\"well\""))),
              HasSubstr("r.jsonl:2: the key \"wall\" is missing"));
  EXPECT_THAT(failure(put(replaced(file_text(folder_, 3), "\"step\":3", "\"step\":2"))),
              HasSubstr("r.jsonl:4: step 2 follows step 2"));
  EXPECT_THAT(failure(put(replaced(file_text(folder_, 1), "\"rank\":1", "\"rank\":2"))),
              HasSubstr("rank 2 of a world of 2"));
}

TEST_F(ReadRankFile, NullTimesAreNaN) {
  const RankFile file =
      read_rank_file(put(replaced(file_text(folder_, 1), "\"wall\":0.009", "\"wall\":null")));
  EXPECT_TRUE(std::isnan(file.segments[0].steps[0].wall_s));
}

TEST_F(ReadRankFile, AThousandMutationsEndInRecordsOrANamedError) {
  const std::string original = file_text(folder_, 6);
  PhiloxStream random(20260131, 1);
  int num_errors = 0;
  for (int round = 0; round < 1000; ++round) {
    std::string text = original;
    const std::uint64_t num_edits = 1 + random.below(4);
    for (std::uint64_t edit = 0; edit < num_edits; ++edit) {
      const std::size_t at = random.below(text.size());
      switch (random.below(4)) {
        case 0:
          text[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          text.erase(at, 1 + random.below(40));
          break;
        case 2:
          text.insert(at, text.substr(random.below(text.size()), random.below(60)));
          break;
        default:
          text[at] = "0123456789-+eE.,:{}[]\"\nn"[random.below(24)];
      }
      if (text.empty()) text = "{";
    }
    if (failure(put(text)) != "no error") ++num_errors;
  }
  EXPECT_GT(num_errors, 200);
  EXPECT_LT(num_errors, 1000);
}

TEST(CutBack, DropsLaterStepsAndACutLine) {
  TemporaryFolder folder;
  const auto path = folder / "made.jsonl";
  const std::string text = file_text(folder, 5);
  write_file(path, text + "{\"step\":6,");
  EXPECT_EQ(cut_back(path, 5), 10U);
  EXPECT_EQ(read_text(path), text);
  EXPECT_GT(cut_back(path, 3), 0U);
  EXPECT_EQ(read_rank_file(path).segments[0].steps.back().step, 3);
  EXPECT_EQ(cut_back(path, 3), 0U);
  EXPECT_GT(cut_back(path, 0), 0U);
  EXPECT_TRUE(read_rank_file(path).segments[0].steps.empty());
  EXPECT_EQ(cut_back(folder / "none.jsonl", 3), 0U);
}

TEST(CutBack, AFileThatGoesOnReadsAsOneRun) {
  TemporaryFolder folder;
  const auto path = folder / "made.jsonl";
  file_text(folder, 5);
  cut_back(path, 2);
  StepRecord record;
  record.step = 3;
  RankWriter(path, {1, 2, "node", 43, "cpu", "build", "later"}).write(record);
  const RankFile file = read_rank_file(path);
  ASSERT_EQ(file.segments.size(), 2U);
  EXPECT_EQ(file.segments[0].steps.size(), 2U);
  EXPECT_EQ(file.segments[1].steps.size(), 1U);
}

TEST(ReadMetricsFile, RefusesAnotherVersionAndToleratesACut) {
  TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  MetricsRecord record;
  record.step = 1;
  MetricsWriter(path).write(record);
  const std::string line = read_text(path);
  write_file(path, line + line.substr(0, 30));
  EXPECT_TRUE(read_metrics_file(path).last_line_cut);
  write_file(path, replaced(line, "\"schema\":1", "\"schema\":9"));
  EXPECT_THROW(read_metrics_file(path), Error);
}

TEST(ReadResult, NamesTheFile) {
  TemporaryFolder folder;
  write_file(folder / "result.json", "{\"schema\": 1, \"status\": ");
  try {
    read_result(folder / "result.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("result.json: not a JSON file"));
  }
}

}  // namespace
}  // namespace lockstep::records
