#include "report/verdict.h"

#include "made_run.h"

#include <gtest/gtest.h>

namespace lockstep::report {
namespace {

std::string verdict_of(const BinsMs& bins_ms) {
  RunData run;
  run.ranks = {made_rank(0, 1, 20, bins_ms)};
  return make_figures(run).verdict;
}

TEST(MakeVerdict, NamesWhatTakesFivePercentOrMore) {
  EXPECT_EQ(verdict_of({1, 1, 30, 60, 2, 6, 0, 0, 0}), "compute-bound");
  EXPECT_EQ(verdict_of({31, 1, 20, 40, 2, 6, 0, 0, 0}), "input-bound 31 %");
  EXPECT_EQ(verdict_of({1, 1, 30, 54, 8, 6, 0, 0, 0}), "comm-exposed 8 %");
  EXPECT_EQ(verdict_of({1, 10, 30, 51, 2, 6, 0, 0, 0}), "copy-bound 10 %");
  EXPECT_EQ(verdict_of({1, 1, 30, 50, 2, 6, 0, 0, 10}), "unaccounted 10 %");
}

TEST(MakeVerdict, TheLargestCauseStandsFirst) {
  EXPECT_EQ(verdict_of({20, 0, 20, 20, 30, 10, 0, 0, 0}), "comm-exposed 30 %, input-bound 20 %");
}

TEST(MakeVerdict, SnapshotsAndEvaluationAreNotPartOfTheShare) {
  EXPECT_EQ(verdict_of({31, 1, 20, 40, 2, 6, 500, 400, 0}), "input-bound 31 %");
}

TEST(MakeVerdict, NamesASlowRank) {
  EXPECT_EQ(make_figures(made_run(4)).verdict, "comm-exposed 22 %, rank 3 slow by 23 %");
  RunData even = made_run(1);
  even.world_size = 2;
  even.ranks.push_back(made_rank(1, 2, 20, kEven));
  EXPECT_EQ(make_figures(even).verdict, "comm-exposed 28 %");
}

}  // namespace
}  // namespace lockstep::report
