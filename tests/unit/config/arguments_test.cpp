// The command line: every form that is understood, every refusal with its code and its hint.
#include "config/sources.h"
#include "refusal.h"

#include <gmock/gmock.h>

namespace lockstep::config {
namespace {

using testing::ElementsAre;

ReadArguments read(const std::vector<std::string>& words) {
  static Settings settings;
  static const OptionTable table = make_table(settings);
  return read_arguments(train_command(), words, table);
}

std::string value_of(const ReadArguments& arguments, const std::string& name) {
  for (const Assignment& each : arguments.assignments) {
    if (each.origin.name == name) return each.value;
  }
  return "(not given)";
}

void expect_usage(const std::vector<std::string>& words, const std::string& part) {
  expect_refusal(ExitCode::kUsage, part, [&words] { read(words); });
}

TEST(Arguments, TakesAValueAfterABlankOrAnEqualsSign) {
  const ReadArguments given = read({"--optim.lr", "3e-3", "--run.epochs=7"});
  EXPECT_EQ(value_of(given, "optim.lr"), "3e-3");
  EXPECT_EQ(value_of(given, "run.epochs"), "7");
}

TEST(Arguments, TakesNegativeAndEmptyValues) {
  EXPECT_EQ(value_of(read({"--run.seed", "-1"}), "run.seed"), "-1");
  EXPECT_EQ(value_of(read({"--data.val", ""}), "data.val"), "");
  EXPECT_EQ(value_of(read({"--data.val="}), "data.val"), "");
}

TEST(Arguments, KeepsEqualsSignsInsideAValue) {
  EXPECT_EQ(value_of(read({"--run.dir=a=b"}), "run.dir"), "a=b");
  EXPECT_EQ(value_of(read({"--run.dir", "a=b="}), "run.dir"), "a=b=");
}

TEST(Arguments, UnderstandsEveryFormOfABoolean) {
  const char* name = "run.allow_gpu_sharing";
  EXPECT_EQ(value_of(read({"--run.allow_gpu_sharing"}), name), "true");
  EXPECT_EQ(value_of(read({"--run.allow_gpu_sharing=false"}), name), "false");
  EXPECT_EQ(value_of(read({"--run.allow_gpu_sharing", "false"}), name), "false");
  EXPECT_EQ(value_of(read({"--no-run.allow_gpu_sharing"}), name), "false");
  const ReadArguments between = read({"--run.allow_gpu_sharing", "--run.epochs", "2"});
  EXPECT_EQ(value_of(between, name), "true");
  EXPECT_EQ(value_of(between, "run.epochs"), "2");
}

TEST(Arguments, KeepsConfigFilesInOrder) {
  EXPECT_THAT(read({"--config", "a.ini", "--config=b.ini"}).config_files,
              ElementsAre("a.ini", "b.ini"));
}

TEST(Arguments, KeepsFlagsOfTheCommandApart) {
  const ReadArguments given = read({"--dry-run", "--resume", "none"});
  EXPECT_EQ(given.flags.at("dry-run"), "true");
  EXPECT_EQ(given.flags.at("resume"), "none");
  EXPECT_TRUE(given.assignments.empty());
}

TEST(Arguments, ASwitchCanBeTakenBack) {
  EXPECT_FALSE(read({"--dry-run", "--dry-run=false"}).flags.contains("dry-run"));
  EXPECT_TRUE(read({"--dry-run=true"}).flags.contains("dry-run"));
  expect_usage({"--dry-run=perhaps"}, "--dry-run=\"perhaps\" is not understood");
}

TEST(Arguments, AsksForHelpInTwoWays) {
  EXPECT_TRUE(read({"--help"}).help);
  EXPECT_TRUE(read({"-h"}).help);
  EXPECT_FALSE(read({}).help);
}

TEST(Arguments, SuggestsTheNearestSettingOrFlag) {
  expect_usage({"--optm.lr", "1"}, "--optm.lr; did you mean --optim.lr?");
  expect_usage({"--optm.lr=1"}, "--optm.lr; did you mean --optim.lr?");
  expect_usage({"--lr", "1"}, "did you mean --optim.lr?");
  expect_usage({"--train.lr", "1"}, "did you mean --optim.lr?");
  expect_usage({"--dry_run"}, "did you mean --dry-run?");
  expect_usage({"--confg", "x.ini"}, "did you mean --config?");
  expect_usage({"--qqqqqqqqqqqq"}, "`lockstep train --help` names all");
}

TEST(Arguments, DoesNotGuessFromABeginning) {
  expect_usage({"--run.max_step", "1"}, "unknown setting --run.max_step");
  expect_usage({"--conf", "x.ini"}, "unknown setting --conf");
}

TEST(Arguments, RefusesAMissingValue) {
  expect_usage({"--optim.lr"}, "--optim.lr needs a value");
  expect_usage({"--optim.lr", "--run.epochs", "2"}, "--optim.lr needs a value");
  expect_usage({"--config"}, "--config needs a value");
}

TEST(Arguments, RefusesNoBeforeWhatIsNoBoolean) {
  expect_usage({"--no-optim.lr"}, "optim.lr is not a boolean");
}

TEST(Arguments, RefusesStrayWords) {
  expect_usage({"configs/x.ini"}, "unexpected argument \"configs/x.ini\"");
  expect_usage({"-x"}, "unexpected argument \"-x\"");
}

}  // namespace
}  // namespace lockstep::config
