#include "config/text.h"

#include <gtest/gtest.h>

namespace lockstep::config {
namespace {

TEST(Wrapped, BreaksBetweenWordsWithinTheWidth) {
  EXPECT_EQ(wrapped("aa bb cc", 2, 7), "  aa bb\n  cc\n");
  EXPECT_EQ(wrapped("aa bb", 0, 5), "aa bb\n");
}

TEST(Wrapped, LeavesALongWordWhole) {
  EXPECT_EQ(wrapped("a bbbbbbbb c", 1, 4), " a\n bbbbbbbb\n c\n");
}

TEST(Wrapped, IsEmptyForNoText) { EXPECT_EQ(wrapped("", 4), ""); }

}  // namespace
}  // namespace lockstep::config
