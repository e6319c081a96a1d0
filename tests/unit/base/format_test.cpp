// Every type that a message may hold, and what a malformed text does.
#include "expect_error.h"

#include <lockstep/base/format.h>

#include <gmock/gmock.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace lockstep {
namespace {

using ::testing::HasSubstr;

enum class Colour : std::uint8_t { kRed = 3 };

TEST(Format, PutsEveryTypeInOrder) {
  EXPECT_EQ(format("plain"), "plain");
  EXPECT_EQ(format("{} {}", true, false), "true false");
  EXPECT_EQ(format("{}", 'x'), "x");
  EXPECT_EQ(format("{} {}", std::int8_t{-5}, std::uint8_t{200}), "-5 200");
  EXPECT_EQ(format("{} {}", -7, 7U), "-7 7");
  EXPECT_EQ(format("{}", std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(format("{}", std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(format("{} {}", 0.1, 0.1F), "0.1 0.1");
  EXPECT_EQ(format("{}", Colour::kRed), "3");
  EXPECT_EQ(format("{} {} {}", "array", std::string("string"), std::string_view("view")),
            "array string view");
  const char* pointer = "pointer";
  EXPECT_EQ(format("{}", pointer), "pointer");
}

TEST(Format, TextKeepsItsZerosAndBraces) {
  const std::string zeros("a\0b", 3);
  EXPECT_EQ(format("{}", zeros), zeros);
  EXPECT_EQ(format("{}", "{}"), "{}");
  EXPECT_EQ(format("{{{}}}", 1), "{1}");
}

TEST(Format, ObeysTheSpecification) {
  EXPECT_EQ(format("{:.1f} %", 12.549), "12.5 %");
  EXPECT_EQ(format("{:08d}", 1234), "00001234");
  EXPECT_EQ(format("{:02x}", 10U), "0a");
  EXPECT_EQ(format("[{:>6}] [{:<6}]", "ab", "cd"), "[    ab] [cd    ]");
  EXPECT_EQ(format("{1} {0}", "a", "b"), "b a");
  EXPECT_EQ(format("{:.9g}", 1.0 / 3.0), "0.333333333");
  EXPECT_EQ(format("{}", std::numeric_limits<double>::infinity()), "inf");
}

TEST(Format, MalformedTextIsAnInternalErrorThatShowsIt) {
  for (const char* text : {"{", "}", "{:d}", "{} {}", "{:zz}"}) {
    const Error error = test::thrown_by([&] { return format(text, "word"); });
    EXPECT_EQ(error.code(), ExitCode::kInternal) << text;
    EXPECT_THAT(error.what(), HasSubstr(std::string("malformed text \"") + text + "\""));
  }
}

}  // namespace
}  // namespace lockstep
