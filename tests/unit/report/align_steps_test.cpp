#include "report/align_steps.h"

#include "made_run.h"

#include <lockstep/base/error.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace lockstep::report {
namespace {

using testing::HasSubstr;

TEST(AlignSteps, EqualRanksStayAsTheyAre) {
  RunData run = made_run(3, 5);
  align_steps(run);
  EXPECT_TRUE(run.notes.empty());
  for (const RankRun& rank : run.ranks) EXPECT_EQ(rank.steps.size(), 5U);
}

TEST(AlignSteps, KeepsTheStepsThatAllRanksHave) {
  RunData run = made_run(3, 5);
  run.ranks[1].steps.pop_back();
  run.ranks[2].steps.erase(run.ranks[2].steps.begin());
  align_steps(run);
  for (const RankRun& rank : run.ranks) {
    ASSERT_EQ(rank.steps.size(), 3U);
    EXPECT_EQ(rank.steps.front().step, 2);
    EXPECT_EQ(rank.steps.back().step, 4);
  }
  ASSERT_EQ(run.notes.size(), 1U);
  EXPECT_THAT(run.notes[0], HasSubstr("rank 1 ends at step 4"));
}

TEST(AlignSteps, AStepThatIsNotFiniteOnOneRankGoesOnAll) {
  RunData run = made_run(2, 5);
  run.ranks[1].steps[2].bins_s[3] = std::numeric_limits<double>::quiet_NaN();
  run.ranks[0].steps[4].wall_s = 0;
  align_steps(run);
  for (const RankRun& rank : run.ranks) {
    ASSERT_EQ(rank.steps.size(), 3U);
    EXPECT_EQ(rank.steps.back().step, 4);
  }
  EXPECT_THAT(run.notes.at(0), HasSubstr("2 steps are left out"));
}

TEST(AlignSteps, NothingInCommonIsAnErrorThatNamesTheRun) {
  RunData run = made_run(2, 2);
  run.ranks[1].steps = {made_step(7, kEven)};
  try {
    align_steps(run);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("runs/made"));
  }
}

}  // namespace
}  // namespace lockstep::report
