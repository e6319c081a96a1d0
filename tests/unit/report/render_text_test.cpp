#include "made_run.h"

#include <lockstep/report/render.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace lockstep::report {
namespace {

using testing::HasSubstr;
using testing::Not;

ReportedRun reported(RunData run) {
  RunFigures figures = make_figures(run);
  return {std::move(run), std::move(figures)};
}

TEST(RenderText, OneRunIsToldInFull) {
  RunData run = made_run(4);
  run.settings = {{"model.name", "vit"}, {"precision.compute", "fp32"}};
  run.notes = {"ranks/rank_00009.jsonl: something"};
  const std::string text = render_text({reported(run)});
  EXPECT_THAT(text, HasSubstr("vit, fp32, 4 ranks on 1 host (cpu)"));
  EXPECT_THAT(text, HasSubstr("steps 3 to 20 measured, 2 of warm-up left out"));
  EXPECT_THAT(text, HasSubstr("verdict: comm-exposed 22 %, rank 3 slow by 23 %"));
  EXPECT_THAT(text, HasSubstr("640.0"));
  EXPECT_THAT(text, HasSubstr("algbw 0.250 GB/s, busbw 0.375 GB/s"));
  EXPECT_THAT(text, HasSubstr("slowest: rank 3, 9.000 ms (23.1 %) over the mean"));
  EXPECT_THAT(text, HasSubstr("ledger check: closes"));
  EXPECT_THAT(text, HasSubstr("note: ranks/rank_00009.jsonl: something"));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
}

TEST(RenderText, ColumnsOfTheLedgerEndAtTheSamePlace) {
  std::istringstream lines(render_text({reported(made_run(2))}));
  std::string line;
  std::size_t width = 0;
  int num_rows = 0;
  bool inside = false;
  while (std::getline(lines, line)) {
    if (line.find("where the time goes") != std::string::npos) {
      inside = true;
      width = line.size();
    }
    if (line.empty()) inside = false;
    if (!inside) continue;
    EXPECT_EQ(line.size(), width) << line;
    ++num_rows;
  }
  EXPECT_EQ(num_rows, 11);
}

TEST(RenderText, OneRankHasNoRankTable) {
  const std::string text = render_text({reported(made_run(1))});
  EXPECT_THAT(text, Not(HasSubstr("slowest: rank")));
  EXPECT_THAT(text, Not(HasSubstr("busbw")));
}

TEST(RenderText, AViolatedLedgerIsSaidLoudly) {
  RunData run = made_run(1);
  for (auto& record : run.ranks[0].steps) record.wall_s *= 1.1;
  EXPECT_THAT(render_text({reported(run)}), HasSubstr("!!! THE LEDGER DOES NOT CLOSE: on rank 0"));
  run.ranks[0] = made_rank(0, 1, 20, {1, 1, 10, 20, 10, 4, 0, 0, 4});
  const std::string text = render_text({reported(run)});
  EXPECT_THAT(text, HasSubstr("!!! TOO MUCH IS UNACCOUNTED: on rank 0 other takes 8.00 %"));
  EXPECT_THAT(text, Not(HasSubstr("DOES NOT CLOSE")));
}

TEST(RenderText, ManyRanksAreCutToTheSlowest) {
  const std::string text = render_text({reported(made_run(40))});
  EXPECT_THAT(text, HasSubstr("the 16 slowest of 40 ranks"));
  EXPECT_THAT(text, HasSubstr("\n    39   node1"));
}

TEST(RenderText, SeveralRunsHaveOneRowEach) {
  RunData broken = made_run(2);
  broken.name = "broken";
  for (auto& record : broken.ranks[0].steps) record.wall_s *= 1.1;
  const std::string text = render_text({reported(made_run(1)), reported(broken)});
  EXPECT_THAT(text, HasSubstr("2 runs"));
  EXPECT_THAT(text, HasSubstr("\n  made         1"));
  EXPECT_THAT(text, HasSubstr("\n  broken       2"));
  EXPECT_THAT(text, HasSubstr("THE LEDGER DOES NOT CLOSE"));
}

}  // namespace
}  // namespace lockstep::report
