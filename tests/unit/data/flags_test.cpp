// The flag parser of prepare and inspect.
#include "flags.h"

#include "data_fixture.h"

namespace lockstep::apps {
namespace {

using data::expect_error;

const FlagTable kTable{"lockstep x FILE [flags]",
                       "Does x.",
                       {{"--out", "FILE", "where to"},
                        {"--count", "N", "how many"},
                        {"--names", "A,B", "names"},
                        {"--force", "", "anyway"}}};

Flags parse(const std::vector<std::string>& arguments) { return {kTable, arguments}; }

TEST(Flags, ValuesSwitchesAndPositionals) {
  const Flags flags =
      parse({"a", "--out", "f", "--count=3", "--force", "--names", "x, y", "--", "--b"});
  EXPECT_EQ(flags.positional(), (std::vector<std::string>{"a", "--b"}));
  EXPECT_EQ(flags.required_text("--out"), "f");
  EXPECT_EQ(flags.whole("--count", 9), 3);
  EXPECT_TRUE(flags.has("--force"));
  EXPECT_EQ(flags.list("--names"), (std::vector<std::string>{"x", "y"}));
  EXPECT_FALSE(flags.help());
}

TEST(Flags, MissingOnesFallBackAndTheLastWins) {
  const Flags flags = parse({"--count", "1", "--count", "-2"});
  EXPECT_EQ(flags.whole("--count", 9), -2);
  EXPECT_EQ(flags.text("--out", "here"), "here");
  EXPECT_TRUE(flags.list("--names").empty());
  EXPECT_EQ(parse({}).whole("--count", 9), 9);
}

TEST(Flags, WrongOnesAreUsageErrors) {
  const auto refused = [](const std::vector<std::string>& arguments,
                          std::initializer_list<std::string> fragments) {
    expect_error(ExitCode::kUsage, fragments, [&] {
      const Flags flags = parse(arguments);
      flags.whole("--count", 0);
      flags.list("--names");
      flags.required_text("--out");
    });
  };
  refused({"--cuont", "3"}, {"--cuont", "did you mean --count?"});
  refused({"--zzzzzzzz"}, {"unknown flag --zzzzzzzz", "usage: lockstep x"});
  refused({"--count"}, {"--count needs N"});
  refused({"--count", "3x"}, {"--count 3x", "whole number"});
  refused({"--count", ""}, {"whole number"});
  refused({"--force=1"}, {"--force takes no value"});
  refused({"--names", "a,,b"}, {"empty name"});
  refused({"a"}, {"--out is missing"});
}

TEST(Flags, HelpListsEveryFlag) {
  EXPECT_TRUE(parse({"--help"}).help());
  const std::string text = help_text(kTable);
  for (const Flag& flag : kTable.flags) {
    EXPECT_NE(text.find(flag.name), std::string::npos);
    EXPECT_NE(text.find(flag.help), std::string::npos);
  }
}

}  // namespace
}  // namespace lockstep::apps
