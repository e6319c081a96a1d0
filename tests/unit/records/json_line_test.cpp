#include "records/json_line.h"

#include "allocations.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <limits>

namespace lockstep::records {
namespace {

TEST(JsonLine, WritesKeysInOrderAndEndsTheLine) {
  JsonLine line(256);
  line.begin();
  line.integer("a", -5);
  line.number("b", 0.25);
  line.begin_object("c");
  line.number("d", 1);
  line.end_object();
  line.text("e", "x");
  EXPECT_EQ(line.end(), "{\"a\":-5,\"b\":0.25,\"c\":{\"d\":1},\"e\":\"x\"}\n");
}

TEST(JsonLine, NumbersReadBackAsTheSameDouble) {
  JsonLine line(256);
  for (const double value :
       {0.1, 1.0 / 3.0, 6.02214076e23, 5e-324, 1.7976931348623157e308, 2.302585092994046}) {
    line.begin();
    line.number("x", value);
    const double back = nlohmann::json::parse(line.end())["x"].get<double>();
    EXPECT_EQ(back, value);
  }
}

TEST(JsonLine, NonFiniteNumbersAreNull) {
  JsonLine line(256);
  line.begin();
  line.number("x", std::numeric_limits<double>::quiet_NaN());
  line.number("y", -std::numeric_limits<double>::infinity());
  EXPECT_EQ(line.end(), "{\"x\":null,\"y\":null}\n");
}

TEST(JsonLine, TextIsEscaped) {
  JsonLine line(256);
  const std::string odd = "a\"b\\c\nd\x01\t/\xC3\xA4";
  line.begin();
  line.text("x", odd);
  EXPECT_EQ(nlohmann::json::parse(line.end())["x"].get<std::string>(), odd);
}

TEST(JsonLine, AllocatesNothingWithinItsCapacity) {
  JsonLine line(1024);
  const std::size_t before = num_allocations();
  for (int round = 0; round < 100; ++round) {
    line.begin();
    for (int k = 0; k < 20; ++k) line.number("key", 0.1 * round + k);
    line.end();
  }
  EXPECT_EQ(num_allocations(), before);
}

}  // namespace
}  // namespace lockstep::records
