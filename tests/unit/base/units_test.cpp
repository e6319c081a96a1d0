// Numbers as people read them, above all where rounding meets the next unit.
#include <lockstep/base/units.h>

#include <gtest/gtest.h>

#include <limits>

namespace lockstep {
namespace {

TEST(BytesText, PicksTheUnit) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1024), "1.0 KiB");
  EXPECT_EQ(bytes_text(3.25 * 1024 * 1024), "3.2 MiB");
  EXPECT_EQ(bytes_text(1024.0 * 1024 * 1024 * 139), "139.0 GiB");
  EXPECT_EQ(bytes_text(5e18), "4440.9 PiB");
  EXPECT_EQ(bytes_text(-2048), "-2.0 KiB");
}

TEST(BytesText, NeverPrints1024OfAUnit) {
  EXPECT_EQ(bytes_text(1024.0 * 1024 - 1), "1.0 MiB");
  EXPECT_EQ(bytes_text(1023.94 * 1024), "1023.9 KiB");
}

TEST(CountText, PicksTheUnit) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(9999), "9999");
  EXPECT_EQ(count_text(60000), "60.0 k");
  EXPECT_EQ(count_text(999'960), "1.00 M");
  EXPECT_EQ(count_text(1'281'167), "1.28 M");
  EXPECT_EQ(count_text(7.5e9), "7.50 G");
}

TEST(DurationText, PicksTheUnit) {
  EXPECT_EQ(duration_text(0), "0 s");
  EXPECT_EQ(duration_text(25e-6), "25 us");
  EXPECT_EQ(duration_text(0.85), "850 ms");
  EXPECT_EQ(duration_text(4.25), "4.2 s");
  EXPECT_EQ(duration_text(42), "42 s");
  EXPECT_EQ(duration_text(200), "3 min 20 s");
  EXPECT_EQ(duration_text(7500), "2 h 05 min");
}

TEST(DurationText, RoundsIntoTheNextUnit) {
  EXPECT_EQ(duration_text(0.99996e-3), "1 ms");
  EXPECT_EQ(duration_text(0.9996), "1.0 s");
  EXPECT_EQ(duration_text(9.96), "10 s");
  EXPECT_EQ(duration_text(59.7), "1 min 00 s");
  EXPECT_EQ(duration_text(3599.6), "1 h 00 min");
}

TEST(DurationText, TakesWhatAnEstimateMayBe) {
  EXPECT_EQ(duration_text(-90), "-1 min 30 s");
  EXPECT_EQ(duration_text(std::numeric_limits<double>::infinity()), "?");
  EXPECT_EQ(duration_text(std::numeric_limits<double>::quiet_NaN()), "?");
  EXPECT_EQ(duration_text(1e300), "?");
}

TEST(UtcText, IsIso8601) {
  EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_text(1'709'210'096), "2024-02-29T12:34:56Z");
}

}  // namespace
}  // namespace lockstep
