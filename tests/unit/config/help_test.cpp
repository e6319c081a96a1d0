// --help names everything that can be given, within the width of a terminal.
#include <lockstep/config/command_line.h>

#include <gtest/gtest.h>

#include <sstream>

namespace lockstep::config {
namespace {

TEST(Help, NamesEverySettingUnderItsSection) {
  const std::string text = help_text(train_command());
  Settings settings;
  const OptionTable table = make_table(settings);
  for (const Option& option : table.options()) {
    const std::size_t section = text.find("\n[" + option.section + "]\n");
    ASSERT_NE(section, std::string::npos) << option.section;
    EXPECT_GT(text.find("\n  --" + option.name()), section) << option.name();
    EXPECT_NE(text.find("\n  --" + option.name()), std::string::npos) << option.name();
  }
}

TEST(Help, NamesTheFlagsOfTheCommand) {
  const std::string text = help_text(train_command());
  for (const char* flag : {"--dry-run", "--resume", "--config FILE.ini", "--help"}) {
    EXPECT_NE(text.find(flag), std::string::npos) << flag;
  }
}

TEST(Help, SaysDefaultsAndUnits) {
  const std::string text = help_text(train_command());
  EXPECT_NE(text.find("--run.device auto|cpu|cuda  (default auto)"), std::string::npos);
  EXPECT_NE(text.find("--comm.timeout_s X  (default 600 s)"), std::string::npos);
  EXPECT_NE(text.find("--data.val TEXT  (default empty)"), std::string::npos);
}

TEST(Help, FitsIntoAHundredColumns) {
  std::istringstream lines(help_text(train_command()));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
}

}  // namespace
}  // namespace lockstep::config
