// Every way of converting a row gives the definition.
#include "convert_row.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace lockstep::augment {
namespace {

constexpr std::array<float, 4> kScale{0.017F, 0.02F, 0.011F, 0.5F};
constexpr std::array<float, 4> kShift{-2.1F, -2.0F, 0.5F, 3.0F};
constexpr float kUntouched = -99.0F;

std::vector<std::uint8_t> some_bytes(std::int64_t count) {
  std::vector<std::uint8_t> bytes;
  for (std::int64_t i = 0; i < count; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(i * 167 + i / 7));
  }
  return bytes;
}

template <class Convert>
void check(std::int64_t channels, std::int64_t count, bool mirrored, const Convert& convert) {
  const auto bytes = some_bytes(count * channels);
  // One more at each end must stay as it is.
  std::vector<std::vector<float>> planes(static_cast<std::size_t>(channels));
  std::array<float*, 4> out{};
  for (std::size_t c = 0; c < planes.size(); ++c) {
    planes[c].assign(static_cast<std::size_t>(count) + 2, kUntouched);
    out[c] = planes[c].data() + 1;
  }
  convert(RowConversion{bytes.data(), count, kScale.data(), kShift.data(), out.data(), false});
  for (std::size_t c = 0; c < planes.size(); ++c) {
    EXPECT_EQ(planes[c].front(), kUntouched);
    EXPECT_EQ(planes[c].back(), kUntouched);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t from = mirrored ? count - 1 - i : i;
      const auto byte = static_cast<double>(bytes[static_cast<std::size_t>(from * channels) + c]);
      ASSERT_NEAR(out[c][i], byte * kScale[c] + kShift[c], 1e-5)
          << "count " << count << " channel " << c << " place " << i;
    }
  }
}

// Results do not depend on the processor.
TEST(ConvertRow, EveryWayGivesTheSameBits) {
  int num_ways = 0;
  const ConvertWay* const ways = convert_ways(num_ways);
  constexpr std::int64_t kCount = 256 + 7;
  const auto bytes = some_bytes(3 * kCount);
  std::vector<float> want;
  for (int way = 0; way < num_ways; ++way) {
    if (!ways[way].available) continue;
    std::vector<float> values(3 * kCount);
    const std::array<float*, 3> out{
        values.data(), values.data() + kCount, values.data() + 2 * kCount};
    ways[way].three({bytes.data(), kCount, kScale.data(), kShift.data(), out.data(), false}, false);
    if (way == 0) want = values;
    EXPECT_EQ(values, want) << ways[way].name;
  }
}

TEST(ConvertRow, EveryWayGivesTheDefinition) {
  int num_ways = 0;
  const ConvertWay* const ways = convert_ways(num_ways);
  ASSERT_GE(num_ways, 1);
  for (int way = 0; way < num_ways; ++way) {
    if (!ways[way].available) continue;
    SCOPED_TRACE(ways[way].name);
    for (const bool mirrored : {false, true}) {
      for (const std::int64_t count : {0, 1, 15, 16, 17, 31, 32, 33, 70}) {
        check(1, count, mirrored, [&](const RowConversion& row) { ways[way].one(row, mirrored); });
        check(
            3, count, mirrored, [&](const RowConversion& row) { ways[way].three(row, mirrored); });
      }
    }
  }
}

// Aligned planes may go past the caches; what is written is the same.
TEST(ConvertRow, StreamsTheSameValues) {
  constexpr std::int64_t kCount = 5 * 16 + 3;
  struct alignas(64) Plane {
    std::array<float, 128> values;
  };
  for (const std::int64_t channels : {1, 3}) {
    const auto bytes = some_bytes(kCount * channels);
    for (const bool mirrored : {false, true}) {
      std::vector<Plane> planes(6);
      for (std::size_t set = 0; set < 2; ++set) {
        const std::array<float*, 3> out{planes[3 * set].values.data(),
                                        planes[3 * set + 1].values.data(),
                                        planes[3 * set + 2].values.data()};
        convert_row({bytes.data(), kCount, kScale.data(), kShift.data(), out.data(), set == 1},
                    channels,
                    mirrored);
      }
      finish_streamed_rows();
      for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(planes[c].values, planes[3 + c].values);
    }
  }
}

TEST(ConvertRow, TakesOneToFourChannels) {
  for (const bool mirrored : {false, true}) {
    for (std::int64_t channels = 1; channels <= 4; ++channels) {
      check(channels, 37, mirrored, [&](const RowConversion& row) {
        convert_row(row, channels, mirrored);
      });
    }
  }
}

}  // namespace
}  // namespace lockstep::augment
