// Environment variables: which are settings, which are left alone, which are refused.
#include "config/sources.h"
#include "refusal.h"

namespace lockstep::config {
namespace {

std::vector<Assignment> read(const Environment& environment) {
  static Settings settings;
  static const OptionTable table = make_table(settings);
  return read_environment(environment, table);
}

TEST(EnvironmentSettings, AreFoundByTheirUpperCaseNames) {
  const auto given = read({{"LOCKSTEP_TRAIN_BATCH_PER_RANK", "8"}, {"HOME", "/"}});
  ASSERT_EQ(given.size(), 1U);
  EXPECT_EQ(given[0].origin.name, "train.batch_per_rank");
  EXPECT_EQ(given[0].origin.where, "LOCKSTEP_TRAIN_BATCH_PER_RANK");
  EXPECT_EQ(given[0].origin.source, Source::kEnvironment);
  EXPECT_EQ(given[0].value, "8");
}

TEST(EnvironmentSettings, MayBeEmpty) {
  EXPECT_EQ(read({{"LOCKSTEP_DATA_VAL", ""}}).at(0).value, "");
}

TEST(EnvironmentSettings, OtherVariablesAreLeftAlone) {
  EXPECT_TRUE(read({{"LOCKSTEP_BIN", "/x"}, {"LOCKSTEPOPTIM_LR", "1"}, {"OPTIM_LR", "1"}}).empty());
}

TEST(EnvironmentSettings, AnUnknownKeyOfASectionIsRefusedWithTheNearest) {
  expect_refusal(
      ExitCode::kConfig, "LOCKSTEP_OPTIM_LRR is no setting; did you mean LOCKSTEP_OPTIM_LR?", [] {
        read({{"LOCKSTEP_OPTIM_LRR", "1"}});
      });
  expect_refusal(ExitCode::kConfig, "unset it", [] {
    read({{"LOCKSTEP_RUN_QQQQQQQQQQQQQQQQQQQ", "1"}});
  });
}

TEST(EnvironmentSettings, TheProcessEnvironmentIsReadWhole) {
  ASSERT_EQ(setenv("LOCKSTEP_TEST_MARK", "a=b", 1), 0);
  bool found = false;
  for (const auto& [name, value] : process_environment()) {
    found = found || (name == "LOCKSTEP_TEST_MARK" && value == "a=b");
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace lockstep::config
