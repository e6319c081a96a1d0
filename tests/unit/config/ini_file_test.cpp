// INI files: what a line may look like, and that every refusal names file and line.
#include "config/sources.h"
#include "refusal.h"
#include "write_ini.h"

#include <map>

namespace lockstep::config {
namespace {

class IniFile : public testing::Test {
 protected:
  IniFile() : table_(make_table(settings_)) {}

  std::vector<Assignment> read(const std::string& text) {
    return read_ini(write_ini(folder_, "x.ini", text), table_);
  }
  std::map<std::string, std::string> values(const std::string& text) {
    std::map<std::string, std::string> result;
    for (const Assignment& each : read(text)) result[each.origin.name] = each.value;
    return result;
  }
  void expect_refused(const std::string& text, const std::string& part) {
    expect_refusal(ExitCode::kConfig, part, [&] { read(text); });
  }

  Settings settings_;
  OptionTable table_;
  TemporaryFolder folder_;
};

TEST_F(IniFile, ReadsSectionsKeysAndComments) {
  const auto given =
      values("# head\n\n[optim]\nlr = 3e-3 # peak\n  beta1=0.8\r\n; old style\n[run]\ndir = a b\n");
  EXPECT_EQ(given.size(), 3U);
  EXPECT_EQ(given.at("optim.lr"), "3e-3");
  EXPECT_EQ(given.at("optim.beta1"), "0.8");
  EXPECT_EQ(given.at("run.dir"), "a b");
}

TEST_F(IniFile, RemembersTheLineOfEachValue) {
  const auto given = read("[optim]\n\nlr = 1\n");
  ASSERT_EQ(given.size(), 1U);
  EXPECT_EQ(given[0].origin.where, (folder_.path() / "x.ini").string() + ":3");
  EXPECT_EQ(given[0].origin.source, Source::kFile);
}

TEST_F(IniFile, KeepsHashAndEqualsSignsInsideAValue) {
  const auto given = values("[data]\ntrain = run#3/a=b.h5\nval = \" #x \" # quoted\n");
  EXPECT_EQ(given.at("data.train"), "run#3/a=b.h5");
  EXPECT_EQ(given.at("data.val"), " #x ");
}

TEST_F(IniFile, TakesAnEmptyValueAndALastLineWithoutNewline) {
  const auto given = values("[data]\nval =\ntrain = t.h5");
  EXPECT_EQ(given.at("data.val"), "");
  EXPECT_EQ(given.at("data.train"), "t.h5");
}

TEST_F(IniFile, RefusesUnknownNamesWithTheNearest) {
  expect_refused("[optim]\nlearning = 1\n", "x.ini:2: unknown setting optim.learning");
  expect_refused("[optim]\nbeta = 1\n", "did you mean optim.beta1?");
  expect_refused("[train]\nlr = 1\n", "did you mean optim.lr?");
  expect_refused("[optm]\n", "x.ini:1: unknown section [optm]; did you mean [optim]?");
}

TEST_F(IniFile, RefusesMalformedLines) {
  expect_refused("lr = 1\n", "x.ini:1: \"lr = 1\" stands before the first [section]");
  expect_refused("[optim]\nlr 1\n", "x.ini:2: \"lr 1\" is neither [section] nor key = value");
  expect_refused("[optim]\n= 1\n", "is neither");
  expect_refused("[optim\nlr = 1\n", "x.ini:1: \"[optim\" is no section");
  expect_refused("[data]\nval = \"a\n", "does not end with one");
  expect_refused("[data]\nval = \"a\" b\n", "stands behind the closing");
}

TEST_F(IniFile, RefusesAKeyThatStandsTwice) {
  expect_refused("[optim]\nlr = 1\nlr = 2\n", "x.ini:3: optim.lr was already given at");
}

TEST_F(IniFile, TellsAMissingFileFromAnUnreadableOne) {
  expect_refusal(ExitCode::kConfig, "there is no such file", [this] {
    read_ini(folder_.path() / "missing.ini", table_);
  });
  expect_refusal(ExitCode::kIo, "is not a file", [this] { read_ini(folder_.path(), table_); });
}

}  // namespace
}  // namespace lockstep::config
