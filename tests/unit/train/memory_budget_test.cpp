#include "train/memory_budget.h"

#include "tiny_run.h"
#include "train/memory_forecast.h"
#include "train/trainer.h"

namespace lockstep::train {
namespace {

TEST(MemoryBudget, TriesWhatTheModelAllows) {
  EXPECT_EQ(candidate_plans(1).size(), 6U);
  EXPECT_EQ(candidate_plans(3).size(), 8U);
  EXPECT_EQ(candidate_plans(12).size(), 10U);
  EXPECT_EQ(candidate_plans(12)[0], models::RecomputePlan{});
  for (const models::RecomputePlan& plan : candidate_plans(3)) {
    EXPECT_NO_THROW(models::check_recompute(plan, 3));
  }
}

TEST(MemoryBudget, TheFastestThatFitsIsChosen) {
  std::vector<MemoryChoice> choices(4);
  EXPECT_EQ(fastest(choices), -1);
  choices[1] = {{.mlp = true}, 2, 1 << 20, 50.0};
  choices[2] = {{.every = 1}, 1, 1 << 20, 60.0};
  choices[3] = {{.every = 2}, 1, 1 << 20, 60.0};
  EXPECT_EQ(fastest(choices), 2) << "of equals the first";
  choices[0].peak_bytes = 3 << 20;
  const std::string text = frontier_text(choices, 8);
  EXPECT_NE(text.find("none                     3.0 MiB for one image: does not fit"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("2 x 4 images, 1.0 MiB, 50"), std::string::npos) << text;
  EXPECT_NE(text.find("1 x 8 images, 1.0 MiB, 60 images/s a rank  <- chosen"), std::string::npos)
      << text;
}

struct BudgetRun : TinyRun {
  BudgetRun() : TinyRun(64) {
    settings.model.dim = 32;
    settings.model.depth = 4;
    settings.model.patch_size = 1;
    settings.train.batch_per_rank = 32;
    settings.memory.recompute = kBudget;
  }
};

TEST(MemoryBudget, StaysWithinTheLimitAndTakesWhatThereIs) {
  BudgetRun run;
  run.settings.memory.limit_mib = 1000;
  const auto wide = open_session(run.job);
  EXPECT_EQ(wide->parts, 1);
  run.settings.memory.limit_mib = 12;
  const auto narrow = open_session(run.job);
  EXPECT_TRUE(narrow->parts > 1 || narrow->recompute != models::RecomputePlan{});
  StepFigures seen;
  Trainer trainer(run.job, *narrow, [&](const StepFigures& figures) { seen = figures; });
  for (int i = 0; i < 2; ++i) trainer.step();
  trainer.drain();
  EXPECT_LE(seen.memory_peak_bytes(), std::int64_t{12} << 20);
  EXPECT_GT(seen.memory_peak_bytes(), std::int64_t{2} << 20);
}

TEST(MemoryBudget, OneImageThatDoesNotFitIsRefusedWithWhatItNeeds) {
  BudgetRun run;
  run.settings.memory.limit_mib = 1;
  expect_agreed_error(
      ExitCode::kConfig, "is less than one image needs: ", [&] { open_session(run.job); });
}

}  // namespace
}  // namespace lockstep::train
