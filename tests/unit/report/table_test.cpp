#include "report/table.h"

#include <lockstep/base/error.h>

#include <gtest/gtest.h>

namespace lockstep::report {
namespace {

TEST(Table, AlignsColumnsAndLeavesNoBlanksAtTheEnd) {
  Table table("lrl");
  table.row({"name", "value", "remark"});
  table.row({"a", "1.5", ""});
  table.row({"longer", "10.25", "x"});
  EXPECT_EQ(table.text(2),
            "  name     value   remark\n"
            "  a          1.5\n"
            "  longer   10.25   x\n");
}

TEST(Table, CountsCharactersNotBytes) {
  Table table("ll");
  table.row({"\xC3\xA4", "x"});
  table.row({"a", "y"});
  EXPECT_EQ(table.text(0), "\xC3\xA4   x\na   y\n");
}

TEST(Table, ARowOfAnotherWidthIsAProgrammerError) {
  Table table("ll");
  EXPECT_THROW(table.row({"one"}), Error);
}

}  // namespace
}  // namespace lockstep::report
