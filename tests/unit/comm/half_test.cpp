#include "comm/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lockstep::comm {
namespace {

TEST(Half, EveryF16PatternSurvivesTheRoundTrip) {
  for (std::uint32_t bits = 0; bits <= 0xffffU; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = float_from_f16(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(float_from_f16(f16_from_float(value)))) << bits;
    } else {
      ASSERT_EQ(f16_from_float(value), half) << bits;
    }
  }
}

TEST(Half, EveryBf16PatternSurvivesTheRoundTrip) {
  for (std::uint32_t bits = 0; bits <= 0xffffU; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = float_from_bf16(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(float_from_bf16(bf16_from_float(value)))) << bits;
    } else {
      ASSERT_EQ(bf16_from_float(value), half) << bits;
    }
  }
}

TEST(Half, RoundsToNearestEven) {
  EXPECT_EQ(f16_from_float(1.0F), 0x3c00);
  EXPECT_EQ(f16_from_float(1.0F + 0x1p-11F), 0x3c00) << "halfway, to even";
  EXPECT_EQ(f16_from_float(1.0F + 3 * 0x1p-11F), 0x3c02) << "halfway, to even";
  EXPECT_EQ(f16_from_float(65504.0F), 0x7bff);
  EXPECT_EQ(f16_from_float(65519.0F), 0x7bff);
  EXPECT_EQ(f16_from_float(65520.0F), 0x7c00) << "overflows to infinity";
  EXPECT_EQ(f16_from_float(0x1p-24F), 0x0001) << "the least subnormal";
  EXPECT_EQ(f16_from_float(0x1p-25F), 0x0000) << "halfway, to even";
  EXPECT_EQ(f16_from_float(-2.0F), 0xc000);
  EXPECT_EQ(bf16_from_float(1.0F + 0x1p-8F), 0x3f80) << "halfway, to even";
  EXPECT_EQ(bf16_from_float(1.0F + 3 * 0x1p-8F), 0x3f82) << "halfway, to even";
  EXPECT_EQ(bf16_from_float(std::numeric_limits<float>::max()), 0x7f80);
}

}  // namespace
}  // namespace lockstep::comm
