// Precedence, origins, and the checks that parse() makes before a run.
#include "config/sources.h"
#include "refusal.h"
#include "write_ini.h"

#include <lockstep/config/command_line.h>

namespace lockstep::config {
namespace {

const Command& plain_command() {
  static const Command command{"plain", "plain", "No checks of a run.", {}};
  return command;
}

CommandLine plain(const std::vector<std::string>& words, const Environment& environment = {}) {
  return parse(plain_command(), words, environment);
}

const Origin& origin_of(const CommandLine& line, const std::string& name) {
  for (const Origin& each : line.origins) {
    if (each.name == name) return each;
  }
  throw internal_error("no such setting: " + name);
}

TEST(CommandLine, DefaultsHoldWhenNothingIsGiven) {
  const CommandLine line = plain({});
  EXPECT_EQ(resolved_ini(line.settings), resolved_ini(Settings{}));
  EXPECT_FALSE(line.dry_run);
  for (const Origin& each : line.origins) {
    EXPECT_EQ(each.source, Source::kDefault) << each.name;
    EXPECT_EQ(each.where, "default");
  }
}

TEST(CommandLine, EachSourceWinsOverTheOneBefore) {
  const TemporaryFolder folder;
  const std::string first =
      write_ini(folder, "a.ini", "[optim]\nlr = 1\nbeta1 = 0.1\neps = 0.1\n[run]\nepochs = 11\n");
  const std::string second =
      write_ini(folder, "b.ini", "[optim]\nlr = 2\nbeta1 = 0.2\neps = 0.2\n");
  const CommandLine line =
      plain({"--optim.lr", "3.5", "--config", first, "--config", second, "--optim.lr=4"},
            {{"LOCKSTEP_OPTIM_LR", "3"}, {"LOCKSTEP_OPTIM_BETA1", "0.3"}});
  EXPECT_EQ(line.settings.optim.lr, 4);
  EXPECT_EQ(line.settings.optim.beta1, 0.3);
  EXPECT_EQ(line.settings.optim.eps, 0.2);
  EXPECT_EQ(line.settings.run.epochs, 11);
  EXPECT_EQ(origin_of(line, "optim.lr").where, "command line");
  EXPECT_EQ(origin_of(line, "optim.beta1").where, "LOCKSTEP_OPTIM_BETA1");
  EXPECT_EQ(origin_of(line, "optim.eps").where, second + ":4");
  EXPECT_EQ(origin_of(line, "run.epochs").where, first + ":6");
  EXPECT_EQ(origin_of(line, "run.seed").where, "default");
}

TEST(CommandLine, AValueThatDoesNotFitNamesItsOrigin) {
  const TemporaryFolder folder;
  const std::string file = write_ini(folder, "a.ini", "[optim]\nlr = fast\n");
  expect_refusal(ExitCode::kConfig, "optim.lr = \"fast\" is not a number (" + file + ":2)", [&] {
    plain({"--config", file});
  });
  expect_refusal(ExitCode::kConfig, "(LOCKSTEP_RUN_EPOCHS)", [] {
    plain({}, {{"LOCKSTEP_RUN_EPOCHS", "1.5"}});
  });
  expect_refusal(ExitCode::kConfig, "(command line)", [] { plain({"--run.device", "tpu"}); });
  expect_refusal(ExitCode::kConfig, "auto, cpu, cuda", [] { plain({"--run.device", "tpu"}); });
  expect_refusal(ExitCode::kConfig, "not finite", [] { plain({"--optim.lr", "nan"}); });
}

TEST(CommandLine, AValueOfSeveralLinesIsRefused) {
  expect_refusal(ExitCode::kConfig, "run.dir holds a line break", [] {
    plain({"--run.dir", "a\n[optim]"});
  });
}

TEST(CommandLine, TrainNeedsData) {
  expect_refusal(ExitCode::kConfig, "data.train is empty", [] { parse({}, {}); });
  EXPECT_NO_THROW(plain({}));
}

TEST(CommandLine, TrainKnowsItsFlags) {
  const std::vector<std::string> words{"--data.train", "t.h5", "--dry-run", "--resume", "none"};
  const CommandLine line = parse(words, {});
  EXPECT_TRUE(line.dry_run);
  EXPECT_TRUE(line.has("resume"));
}

TEST(CommandLine, ResumeIsNotInThisVersion) {
  for (const char* value : {"auto", "runs/a"}) {
    const std::vector<std::string> words{"--data.train", "t.h5", "--resume", value};
    expect_refusal(ExitCode::kUsage, "not in this version", [&words] { parse(words, {}); });
  }
}

TEST(CommandLine, HelpReadsNothingElse) {
  const std::vector<std::string> words{"--help", "--config", "missing.ini"};
  EXPECT_TRUE(parse(words, {{"LOCKSTEP_OPTIM_LRR", "1"}}).help);
}

TEST(CommandLine, PositionalsUpToTheCommandsLimit) {
  Command command = plain_command();
  command.max_positional = 1;
  const std::vector<std::string> one{"step"};
  EXPECT_EQ(parse(command, one, {}).positional, one);
  const std::vector<std::string> two{"step", "more"};
  expect_refusal(ExitCode::kUsage, "\"more\"", [&] { parse(command, two, {}); });
}

}  // namespace
}  // namespace lockstep::config
