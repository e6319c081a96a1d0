#include "made_run.h"

#include <lockstep/base/error.h>
#include <lockstep/report/figures.h>

#include <gtest/gtest.h>

#include <cmath>

namespace lockstep::report {
namespace {

constexpr double kTight = 1e-9;

double ms(const RunFigures& figures, std::string_view key) {
  for (std::size_t bin = 0; bin < records::kNumBins; ++bin) {
    if (records::kBinKeys[bin] == key) return figures.bins[bin].ms;
  }
  return -1;
}

TEST(Percentile, InterpolatesBetweenNeighbours) {
  EXPECT_DOUBLE_EQ(percentile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(percentile({10, 20, 30, 40, 50}, 0.95), 48);
  EXPECT_DOUBLE_EQ(percentile({10, 20, 30}, 1.0), 30);
  EXPECT_DOUBLE_EQ(percentile({7}, 0.99), 7);
  EXPECT_TRUE(std::isnan(percentile({}, 0.5)));
}

TEST(MakeFigures, OneRank) {
  const RunFigures figures = make_figures(made_run(1));
  EXPECT_EQ(figures.num_steps, 20);
  EXPECT_EQ(figures.num_warm_up, 2);
  EXPECT_EQ(figures.first_measured_step, 3);
  EXPECT_EQ(figures.images, 160);
  EXPECT_NEAR(figures.images_per_s_steady, 160, 1e-6);
  EXPECT_NEAR(figures.step_ms.p50, 50, kTight);
  EXPECT_NEAR(ms(figures, "backward"), 20, kTight);
  EXPECT_NEAR(figures.bins[3].percent, 40, kTight);
  EXPECT_NEAR(figures.load_balance, 1, kTight);
  EXPECT_NEAR(figures.communication_efficiency, 34.0 / 50, kTight);
  EXPECT_NEAR(figures.data_wait_percent, 2, kTight);
  EXPECT_FALSE(figures.slowest);
  EXPECT_TRUE(std::isnan(figures.comm.busbw_gb_per_s));
  EXPECT_TRUE(figures.closure.holds());
}

TEST(MakeFigures, TwoRanksWithAStraggler) {
  const RunFigures figures = make_figures(made_run(2));
  EXPECT_NEAR(figures.images_per_s_steady, 320, 1e-6);
  EXPECT_NEAR(ms(figures, "forward"), 12, kTight);
  EXPECT_NEAR(ms(figures, "comm_exposed"), 8, kTight);
  EXPECT_NEAR(figures.load_balance, 40.0 / 46, kTight);
  EXPECT_NEAR(figures.communication_efficiency, 46.0 / 50, kTight);
  EXPECT_NEAR(figures.parallel_efficiency, 40.0 / 50, kTight);
  ASSERT_TRUE(figures.slowest);
  EXPECT_EQ(figures.slowest->rank, 1);
  EXPECT_NEAR(figures.slowest->own_ms, 48, kTight);
  EXPECT_NEAR(figures.slowest->over_mean_ms, 6, kTight);
  EXPECT_NEAR(figures.slowest->over_mean_percent, 100.0 * 6 / 42, kTight);
  EXPECT_NEAR(figures.comm.algbw_gb_per_s, 0.25, kTight);
  EXPECT_NEAR(figures.comm.busbw_gb_per_s, 0.25, kTight);
  EXPECT_NEAR(figures.comm.hidden_percent, 50, kTight);
}

TEST(MakeFigures, FourRanksWithAStraggler) {
  const RunFigures figures = make_figures(made_run(4));
  EXPECT_NEAR(figures.images_per_s_steady, 640, 1e-6);
  EXPECT_NEAR(figures.ranks[0].images_per_s, 160, 1e-6);
  EXPECT_NEAR(figures.comm_exposed_percent, 22, kTight);
  EXPECT_NEAR(figures.ranks[0].comm_exposed_percent, 28, kTight);
  EXPECT_NEAR(figures.ranks[3].comm_exposed_percent, 4, kTight);
  EXPECT_NEAR(figures.load_balance, 37.0 / 46, kTight);
  EXPECT_NEAR(figures.parallel_efficiency, 0.74, kTight);
  EXPECT_EQ(figures.slowest->rank, 3);
  EXPECT_NEAR(figures.slowest->over_mean_ms, 9, kTight);
  EXPECT_NEAR(figures.comm.busbw_gb_per_s, 0.375, kTight);
  EXPECT_NEAR(figures.comm.bytes_per_step, 4e6, 1e-3);
  EXPECT_NEAR(figures.comm.hidden_percent, 31.25, kTight);
  EXPECT_EQ(figures.verdict, "comm-exposed 22 %, rank 3 slow by 23 %");
}

TEST(MakeFigures, WarmUpAndEvaluationDoNotTouchTheSteadyRate) {
  RunData run = made_run(2);
  for (RankRun& rank : run.ranks) {
    rank.steps[0] = made_step(1, {1, 1, 110, 20, 14, 4, 0, 0, 0});
    rank.steps[19] = made_step(20, {1, 1, 10, 20, 14, 4, 0, 400, 0});
  }
  const RunFigures figures = make_figures(run);
  EXPECT_NEAR(figures.images_per_s_steady, 320, 1e-6);
  EXPECT_NEAR(figures.step_ms.p99, 50, kTight);
  EXPECT_NEAR(figures.wall_s, 1.5, kTight);
  EXPECT_NEAR(figures.images_per_s_overall, 320 / 1.5, 1e-6);
  EXPECT_NEAR(ms(figures, "eval"), 400.0 / 18, kTight);
  EXPECT_NEAR(figures.data_wait_percent, 2, kTight);
}

TEST(MakeFigures, WarmUpIsTenPercentAndAtMostTenSteps) {
  EXPECT_EQ(make_figures(made_run(1, 1)).num_warm_up, 0);
  EXPECT_EQ(make_figures(made_run(1, 2)).num_warm_up, 1);
  EXPECT_EQ(make_figures(made_run(1, 50)).num_warm_up, 5);
  EXPECT_EQ(make_figures(made_run(1, 51)).num_warm_up, 6);
  EXPECT_EQ(make_figures(made_run(1, 1000)).num_warm_up, 10);
}

TEST(MakeFigures, StepTimeIsThatOfTheSlowestRankOfEachStep) {
  RunData run = made_run(2, 11);  // two steps of warm-up
  run.ranks[0].steps[5] = made_step(6, {1, 1, 60, 20, 14, 4, 0, 0, 0});
  const RunFigures figures = make_figures(run);
  EXPECT_NEAR(figures.step_ms.p50, 50, kTight);
  EXPECT_NEAR(figures.step_ms.p99, 50 + 50 * 0.92, kTight);  // nine steps: place 7.92
  EXPECT_NEAR(figures.ranks[1].step_ms.p99, 50, kTight);
}

TEST(MakeFigures, ALedgerThatMissesTheWallTimeIsViolated) {
  RunData run = made_run(2);
  for (auto& record : run.ranks[1].steps) record.wall_s += 0.5e-3;  // 1 % of 50.5 ms: 0.99 %
  EXPECT_TRUE(make_figures(run).closure.holds());
  for (auto& record : run.ranks[1].steps) record.wall_s += 0.1e-3;
  const Closure closure = make_figures(run).closure;
  EXPECT_FALSE(closure.bins_close);
  EXPECT_TRUE(closure.other_small);
  EXPECT_EQ(closure.worst_rank, 1);
  EXPECT_NEAR(closure.worst_percent, 100 * 0.6 / 50.6, 1e-6);
}

TEST(MakeFigures, GapsOfBothSignsDoNotCancel) {
  RunData run = made_run(1);
  for (auto& record : run.ranks[0].steps) record.wall_s += record.step % 2 == 0 ? 2e-3 : -2e-3;
  EXPECT_FALSE(make_figures(run).closure.bins_close);
}

TEST(MakeFigures, OtherIsJudgedAtTheMedianStep) {
  RunData run = made_run(1, 21);
  run.ranks[0].steps[10] = made_step(11, {1, 1, 10, 20, 14, 4, 0, 0, 500});
  EXPECT_TRUE(make_figures(run).closure.other_small);
  run.ranks[0] = made_rank(0, 1, 21, {1, 1, 10, 20, 12, 4, 0, 0, 2});
  const Closure closure = make_figures(run).closure;
  EXPECT_FALSE(closure.other_small);
  EXPECT_NEAR(closure.other_percent, 4, kTight);
}

TEST(MakeFigures, ARunWithoutStepsIsAProgrammerError) {
  EXPECT_THROW(make_figures(RunData{}), Error);
}

}  // namespace
}  // namespace lockstep::report
