// The table of settings: every type both ways, and the exact words for values that are refused.
#include "expect_error.h"

#include <lockstep/base/option.h>

#include <gmock/gmock.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Fields {
  bool flag = true;
  std::int64_t count = 4;
  double rate = 0.05;
  std::optional<double> size = 4;
  std::string name = "adamw";
  std::string path;
  std::vector<double> list{0.5, 1};
  std::vector<std::int64_t> sides{480, 800};
};

class Options : public testing::Test {
 protected:
  Options() {
    table.add("data", "flag", fields.flag, "A flag.");
    table.add("data", "count", fields.count, "samples", "A count.");
    table.add("optim", "rate", fields.rate, "", "A rate.");
    table.add("optim", "name", fields.name, "A name.", {"adamw", "sgd"});
    table.add("run", "path", fields.path, "A path.");
    table.add("data", "list", fields.list, "pixels", "A list.");
    table.add("comm", "size", fields.size, "MiB", "A size.");
    table.add("data", "sides", fields.sides, "pixels", "Sides.");
  }

  void set(const std::string& name, const std::string& text) { table.find(name)->set(text); }
  std::string get(const std::string& name) { return table.find(name)->get(); }
  std::string refusal(const std::string& name, const std::string& text) {
    const Fields before = fields;
    const Error error = test::thrown_by([&] { set(name, text); });
    EXPECT_EQ(error.code(), ExitCode::kConfig);
    EXPECT_EQ(fields.flag, before.flag);
    EXPECT_EQ(fields.count, before.count);
    EXPECT_EQ(fields.rate, before.rate);
    EXPECT_EQ(fields.size, before.size);
    EXPECT_EQ(fields.name, before.name);
    EXPECT_EQ(fields.list, before.list);
    EXPECT_EQ(fields.sides, before.sides);
    return error.what();
  }

  Fields fields;
  OptionTable table;
};

TEST_F(Options, DescribeThemselves) {
  ASSERT_EQ(table.options().size(), 8U);
  const Option& count = table.options()[1];
  EXPECT_EQ(count.name(), "data.count");
  EXPECT_EQ(count.type, "integer");
  EXPECT_EQ(count.default_text, "4");
  EXPECT_EQ(count.unit, "samples");
  EXPECT_EQ(count.help, "A count.");
  EXPECT_EQ(table.find("data.flag")->type, "boolean");
  EXPECT_EQ(table.find("data.flag")->default_text, "true");
  EXPECT_EQ(table.find("optim.rate")->type, "number");
  EXPECT_EQ(table.find("optim.rate")->default_text, "0.05");
  EXPECT_EQ(table.find("optim.name")->type, "text");
  EXPECT_THAT(table.find("optim.name")->choices, ElementsAre("adamw", "sgd"));
  EXPECT_EQ(table.find("run.path")->default_text, "");
  EXPECT_EQ(table.find("data.list")->type, "list of numbers");
  EXPECT_EQ(table.find("data.list")->default_text, "0.5,1");
  EXPECT_EQ(table.find("data.sides")->type, "list of integers");
  EXPECT_EQ(table.find("data.sides")->default_text, "480,800");
}

TEST_F(Options, DefaultStaysWhenTheFieldChanges) {
  set("data.count", "9");
  EXPECT_EQ(get("data.count"), "9");
  EXPECT_EQ(table.find("data.count")->default_text, "4");
}

TEST_F(Options, BooleansTakeTheUsualWords) {
  for (const char* no : {"false", "0", "no", "off"}) {
    fields.flag = true;
    set("data.flag", no);
    EXPECT_FALSE(fields.flag) << no;
  }
  for (const char* yes : {"true", "1", "yes", "on"}) {
    fields.flag = false;
    set("data.flag", yes);
    EXPECT_TRUE(fields.flag) << yes;
  }
  EXPECT_EQ(refusal("data.flag", "maybe"),
            "data.flag = \"maybe\" is not a boolean: write true or false");
  EXPECT_EQ(refusal("data.flag", ""), "data.flag = \"\" is not a boolean: write true or false");
}

TEST_F(Options, IntegersAreWholeAndInRange) {
  set("data.count", "-12");
  EXPECT_EQ(fields.count, -12);
  set("data.count", "+7");
  EXPECT_EQ(fields.count, 7);
  set("data.count", "9223372036854775807");
  EXPECT_EQ(fields.count, std::numeric_limits<std::int64_t>::max());
  for (const char* text : {"", "+", "-", "+-5", "1.5", "1e3", "0x10", " 5", "5 ", "five", "5k"}) {
    EXPECT_EQ(refusal("data.count", text),
              std::string("data.count = \"") + text + "\" is not a whole number");
  }
  EXPECT_EQ(refusal("data.count", "9223372036854775808"),
            "data.count = \"9223372036854775808\" is out of range for a whole number");
}

TEST_F(Options, NumbersAreFinite) {
  for (const auto& [text, value] : std::vector<std::pair<const char*, double>>{
           {"3", 3}, {"-0.5", -0.5}, {"+1e-3", 1e-3}, {"2.5E2", 250}, {".5", 0.5}}) {
    set("optim.rate", text);
    EXPECT_EQ(fields.rate, value) << text;
  }
  for (const char* text : {"", "x", "1,5", "1.5x", "0.1 "}) {
    EXPECT_EQ(refusal("optim.rate", text),
              std::string("optim.rate = \"") + text + "\" is not a number");
  }
  EXPECT_EQ(refusal("optim.rate", "nan"), "optim.rate = \"nan\" is not finite");
  EXPECT_EQ(refusal("optim.rate", "-inf"), "optim.rate = \"-inf\" is not finite");
  EXPECT_EQ(refusal("optim.rate", "1e999"), "optim.rate = \"1e999\" is out of range for a number");
}

// config.resolved.ini must bring back the same bits.
TEST_F(Options, NumbersSurviveTheirText) {
  for (const double value : {0.1, 1.0 / 3.0, 1e-300, 123456789.123456789, 5e-324}) {
    fields.rate = value;
    const std::string text = get("optim.rate");
    fields.rate = 0;
    set("optim.rate", text);
    EXPECT_EQ(fields.rate, value) << text;
  }
}

TEST_F(Options, ChoicesAreListedInTheRefusal) {
  set("optim.name", "sgd");
  EXPECT_EQ(fields.name, "sgd");
  EXPECT_EQ(refusal("optim.name", "adam"), "optim.name = \"adam\" is not one of: adamw, sgd");
  EXPECT_EQ(refusal("optim.name", ""), "optim.name = \"\" is not one of: adamw, sgd");
}

TEST_F(Options, TextWithoutChoicesIsTakenAsItIs) {
  set("run.path", " a, b = c ");
  EXPECT_EQ(fields.path, " a, b = c ");
}

TEST_F(Options, ListsAreSplitAtCommas) {
  set("data.list", "1, 2.5,-3");
  EXPECT_THAT(fields.list, ElementsAre(1, 2.5, -3));
  EXPECT_EQ(get("data.list"), "1,2.5,-3");
  set("data.list", "");
  EXPECT_THAT(fields.list, IsEmpty());
  EXPECT_EQ(get("data.list"), "");
  for (const char* text : {"1,,2", "1,2,", ",1", ","}) {
    EXPECT_EQ(refusal("data.list", text),
              std::string("data.list = \"") + text +
                  "\" has an empty item: write numbers with commas between");
  }
  EXPECT_EQ(refusal("data.list", "1,x"), "data.list = \"1,x\": item = \"x\" is not a number");
  set("data.sides", "1, -2,3");
  EXPECT_THAT(fields.sides, ElementsAre(1, -2, 3));
  EXPECT_EQ(get("data.sides"), "1,-2,3");
  EXPECT_EQ(refusal("data.sides", "1,2.5"),
            "data.sides = \"1,2.5\": item = \"2.5\" is not a whole number");
}

TEST_F(Options, ANumberMayBeLeftToTheProgram) {
  EXPECT_EQ(table.find("comm.size")->type, "number or auto");
  EXPECT_EQ(get("comm.size"), "4");
  set("comm.size", "auto");
  EXPECT_EQ(fields.size, std::nullopt);
  EXPECT_EQ(get("comm.size"), "auto");
  set("comm.size", "0.25");
  EXPECT_EQ(fields.size, 0.25);
  EXPECT_EQ(refusal("comm.size", "Auto"), "comm.size = \"Auto\" is not a number");
}

TEST_F(Options, SameNameTwiceIsAProgrammersError) {
  double other = 0;
  const Error error =
      test::thrown_by([&] { table.add("optim", "rate", other, "", "Another rate."); });
  EXPECT_EQ(error.code(), ExitCode::kInternal);
  EXPECT_THAT(error.what(), HasSubstr("an option was added twice: optim.rate"));
  EXPECT_EQ(table.options().size(), 8U);
}

TEST_F(Options, FindIsExact) {
  EXPECT_EQ(table.find("optim.rat"), nullptr);
  EXPECT_EQ(table.find("rate"), nullptr);
  EXPECT_EQ(table.find(""), nullptr);
  ASSERT_NE(table.find("optim.rate"), nullptr);
}

TEST_F(Options, NearestForgivesSlipsAndIsSilentOtherwise) {
  EXPECT_EQ(table.nearest("optim.raet"), "optim.rate");
  EXPECT_EQ(table.nearest("optm.name"), "optim.name");
  EXPECT_EQ(table.nearest("data.counts"), "data.count");
  EXPECT_EQ(table.nearest("data.flag"), "data.flag");
  EXPECT_EQ(table.nearest("completely.different"), "");
  EXPECT_EQ(OptionTable().nearest("x"), "");
}

}  // namespace
}  // namespace lockstep
