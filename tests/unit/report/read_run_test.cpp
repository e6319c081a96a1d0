#include "../../support/temporary_folder.h"
#include "made_run.h"

#include <lockstep/base/error.h>
#include <lockstep/base/random.h>
#include <lockstep/report/figures.h>
#include <lockstep/report/render.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::report {
namespace {

using testing::Contains;
using testing::HasSubstr;

std::filesystem::path rank_path(const TemporaryFolder& folder, std::int64_t rank) {
  return folder.path() / "ranks" / records::rank_file_name(rank);
}

std::string failure(const std::filesystem::path& folder) {
  try {
    read_run(folder);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    return error.what();
  }
  return "no error";
}

TEST(ReadRun, ReadsAWholeDirectory) {
  TemporaryFolder folder;
  write_run(folder.path(), made_run(2));
  const RunData run = read_run(folder.path());
  EXPECT_EQ(run.world_size, 2);
  EXPECT_EQ(run.ranks.size(), 2U);
  EXPECT_EQ(run.settings.at("model.name"), "vit");
  EXPECT_EQ(run.result.value().eval.at(0).second, 0.875);
  EXPECT_THAT(run.environment_json, HasSubstr("node1"));
  EXPECT_THAT(run.notes, testing::IsEmpty());
  EXPECT_EQ(run.name, folder.path().filename().string());
}

TEST(ReadRun, AFolderWithoutARunIsNamed) {
  TemporaryFolder folder;
  EXPECT_THAT(failure(folder.path()), HasSubstr(folder.path().string() + " holds no run"));
  EXPECT_THAT(failure(folder / "none"), HasSubstr("is not a folder"));
}

TEST(ReadRun, WithoutOneUsableRankItSaysWhy) {
  TemporaryFolder folder;
  make_folders(folder / "ranks");
  write_file(rank_path(folder, 0), "{\"schema\":9}\n");
  EXPECT_THAT(failure(folder.path()), HasSubstr("rank_00000.jsonl:1: schema version 9"));
}

TEST(ReadRun, MissingAndDamagedRanksAreNamed) {
  TemporaryFolder folder;
  write_run(folder.path(), made_run(4));
  std::filesystem::remove(rank_path(folder, 1));
  write_file(rank_path(folder, 2), "damaged\nfile\n");
  const RunData run = read_run(folder.path());
  EXPECT_EQ(run.ranks.size(), 2U);
  EXPECT_EQ(run.missing_ranks, (std::vector<std::int64_t>{1, 2}));
  EXPECT_THAT(run.notes, Contains(HasSubstr("rank_00002.jsonl:1")));
  EXPECT_THAT(run.notes, Contains(HasSubstr("2 of 4 ranks have no usable record (1, 2)")));
  EXPECT_EQ(make_figures(run).num_ranks_read, 2);
}

TEST(ReadRun, ACutFileIsNamedAndCostsItsLastStep) {
  TemporaryFolder folder;
  write_run(folder.path(), made_run(2));
  const std::string text = read_text(rank_path(folder, 1));
  write_file(rank_path(folder, 1), text.substr(0, text.size() - 40));
  const RunData run = read_run(folder.path());
  EXPECT_EQ(run.ranks[0].steps.size(), 19U);
  EXPECT_EQ(run.ranks[1].steps.size(), 19U);
  EXPECT_THAT(run.notes, Contains(HasSubstr("rank_00001.jsonl: the last line is cut")));
  EXPECT_THAT(run.notes, Contains(HasSubstr("rank 1 ends at step 19")));
}

TEST(ReadRun, AFileUnderTheNameOfAnotherRankIsLeftOut) {
  TemporaryFolder folder;
  write_run(folder.path(), made_run(3));
  std::filesystem::copy_file(rank_path(folder, 0),
                             rank_path(folder, 2),
                             std::filesystem::copy_options::overwrite_existing);
  const RunData run = read_run(folder.path());
  EXPECT_EQ(run.missing_ranks, (std::vector<std::int64_t>{2}));
  EXPECT_THAT(run.notes, Contains(HasSubstr("says that it is of rank 0")));
}

TEST(ReadRun, AfterAResumeOnFewerRanksTheLastStretchCounts) {
  TemporaryFolder folder;
  write_run(folder.path(), made_run(4, 5));
  for (std::int64_t rank = 0; rank < 2; ++rank) {
    records::RankHeader header = made_rank(rank, 2, 0, kEven).header;
    header.start_time = "2026-01-31T13:00:00Z";
    records::RankWriter writer(rank_path(folder, rank), header);
    for (std::int64_t step = 6; step <= 8; ++step) writer.write(made_step(step, kEven));
  }
  const RunData run = read_run(folder.path());
  EXPECT_EQ(run.world_size, 2);
  ASSERT_EQ(run.ranks.size(), 2U);
  EXPECT_EQ(run.ranks[0].steps.front().step, 6);
  EXPECT_TRUE(run.missing_ranks.empty());
  EXPECT_THAT(run.notes, Contains(HasSubstr("5 steps of an earlier world size")));
  EXPECT_THAT(run.notes, Contains(HasSubstr("rank_00003.jsonl is of an earlier world of 4")));
}

TEST(ReadRun, ASegmentOfTheSameWorldGoesOn) {
  TemporaryFolder folder;
  write_run(folder.path(), made_run(1, 5));
  records::RankWriter(rank_path(folder, 0), made_rank(0, 1, 0, kEven).header)
      .write(made_step(6, kEven));
  EXPECT_EQ(read_run(folder.path()).ranks[0].steps.size(), 6U);
}

TEST(ReadRun, WhatAReportCanDoWithoutBecomesANote) {
  TemporaryFolder folder;
  write_run(folder.path(), made_run(1));
  std::filesystem::remove(folder / "config.resolved.ini");
  write_file(folder / "environment.json", "{\"cut\": ");
  write_file(folder / "result.json", "[]");
  const RunData run = read_run(folder.path());
  EXPECT_THAT(run.notes, Contains(HasSubstr("config.resolved.ini is missing")));
  EXPECT_THAT(run.notes, Contains(HasSubstr("environment.json: not a JSON file")));
  EXPECT_THAT(run.notes, Contains(HasSubstr("result.json: a JSON object is expected")));
}

TEST(ReadRun, AnEnvironmentThatIsTooDeepIsLeftOut) {
  TemporaryFolder folder;
  write_run(folder.path(), made_run(1));
  write_file(folder / "environment.json", std::string(200000, '[') + std::string(200000, ']'));
  const RunData run = read_run(folder.path());
  EXPECT_TRUE(run.environment_json.empty());
  EXPECT_THAT(run.notes, Contains(HasSubstr("environment.json")));
}

TEST(ReadRun, DifferentBuildsAreNamed) {
  TemporaryFolder folder;
  RunData made = made_run(2);
  made.ranks[1].header.build_id = "another";
  write_run(folder.path(), made);
  EXPECT_THAT(read_run(folder.path()).notes, Contains(HasSubstr("different builds")));
}

// One to four random edits of a rank's text.
std::string mutated(std::string text, PhiloxStream& random) {
  const std::uint64_t num_edits = 1 + random.below(4);
  for (std::uint64_t edit = 0; edit < num_edits && !text.empty(); ++edit) {
    const std::size_t at = random.below(text.size());
    const std::uint64_t kind = random.below(4);
    if (kind == 0) text[at] = static_cast<char>(random.below(256));
    if (kind == 1) text.erase(at, 1 + random.below(60));
    if (kind == 2) text.insert(at, text.substr(random.below(text.size()), random.below(80)));
    if (kind == 3) text[at] = "0123456789-+eE.,:{}[]\"\nn"[random.below(24)];
  }
  return text;
}

TEST(ReadRun, AThousandMutationsOfARankFileEndInAReport) {
  TemporaryFolder folder;
  write_run(folder.path(), made_run(2, 6));
  const std::string original = read_text(rank_path(folder, 1));
  PhiloxStream random(20260131, 2);
  int num_noted = 0;
  for (int round = 0; round < 1000; ++round) {
    write_file(rank_path(folder, 1), mutated(original, random));
    try {
      RunData run = read_run(folder.path());
      if (!run.notes.empty()) ++num_noted;
      RunFigures figures = make_figures(run);
      const std::vector<ReportedRun> runs{{std::move(run), std::move(figures)}};
      EXPECT_FALSE(render_text(runs).empty());
      EXPECT_FALSE(render_json(runs).empty());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kBadData) << error.what();
    }
  }
  EXPECT_GT(num_noted, 300);
}

}  // namespace
}  // namespace lockstep::report
