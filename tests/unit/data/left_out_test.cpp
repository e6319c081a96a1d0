// What an import leaves out is counted by reason and named.
#include "left_out.h"

#include "data_fixture.h"

namespace lockstep::data {
namespace {

using Lines = std::vector<std::string>;

TEST(LeftOut, NothingIsNoLine) { EXPECT_EQ(LeftOut().lines(), Lines{}); }

TEST(LeftOut, ReasonsAreCountedWithTheFirstNames) {
  LeftOut left;
  left.add("boxes of no area", "a.xml");
  left.add("files", "x");
  left.add("boxes of no area", "a.xml", 2);
  left.add("boxes of no area", "b.xml");
  EXPECT_EQ(left.lines(), (Lines{"4 boxes of no area: a.xml, b.xml", "1 files: x"}));
}

TEST(LeftOut, ManyNamesAreCut) {
  LeftOut left;
  for (int i = 0; i < 9; ++i) left.add("files", "f" + std::to_string(i));
  EXPECT_EQ(left.lines(), (Lines{"9 files: f0, f1, f2, f3, f4 and 4 more"}));
}

TEST(LeftOut, BrokenPicturesThatDifferInNumbersAreOneReason) {
  LeftOut left;
  left.add_broken("a", "12 extraneous bytes");
  left.add_broken("b", "7 extraneous bytes");
  left.add_broken("c", "cut short");
  EXPECT_EQ(
      left.lines(),
      (Lines{"2 broken pictures (# extraneous bytes): a, b", "1 broken pictures (cut short): c"}));
}

TEST(LeftOut, ThereIsAnEndToReasons) {
  LeftOut left;
  for (char c = 'a'; c <= 'z'; ++c) {
    for (char d = 'a'; d <= 'z'; ++d) left.add_broken("n", std::string{c, d});
  }
  EXPECT_LE(left.lines().size(), 21U);
  EXPECT_NE(left.lines().back().find("656 things for other reasons"), std::string::npos)
      << left.lines().back();
}

TEST(LeftOut, NamesCannotSpoilTheTerminal) {
  LeftOut left;
  left.add("files", "a\033[2J\xFF");
  EXPECT_EQ(left.lines(), (Lines{"1 files: a\\x1b[2J\\xff"}));
}

}  // namespace
}  // namespace lockstep::data
