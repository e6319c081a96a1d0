// Both ways of resizing a row against the definition.
#include "lerp_row.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace lockstep::augment {
namespace {

AxisTable make_table(std::int64_t size, std::int64_t count, bool mirrored) {
  AxisTable table;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t at = mirrored ? count - 1 - i : i;
    const double place = static_cast<double>(at * (size - 1)) / static_cast<double>(count);
    table.first.push_back(static_cast<std::int32_t>(place));
    table.second.push_back(
        static_cast<std::int32_t>(std::min<std::int64_t>(size - 1, std::int64_t(place) + 1)));
    table.weight.push_back(static_cast<float>(place - static_cast<double>(std::int64_t(place))));
  }
  return table;
}

// Enlarged, equal, reduced by a little and by much (where sixteen neighbours lie far apart).
TEST(LerpRow, BothWaysGiveTheDefinition) {
  for (const std::int64_t size : {1, 2, 30, 100, 250, 900}) {
    for (const std::int64_t count : {1, 16, 40, 100}) {
      for (const bool mirrored : {false, true}) {
        const AxisTable table = make_table(size, count, mirrored);
        std::vector<float> row(static_cast<std::size_t>(size + kRowPadding), 1e30F);
        for (std::int64_t i = 0; i < size; ++i) {
          row[static_cast<std::size_t>(i)] = static_cast<float>((i * 37) % 101);
        }
        std::vector<float> plain(static_cast<std::size_t>(count));
        std::vector<float> fast(static_cast<std::size_t>(count));
        lerp_row_plain(row.data(), table, count, plain.data());
        lerp_row(row.data(), table, count, fast.data());
        for (std::size_t i = 0; i < plain.size(); ++i) {
          const double a = row[static_cast<std::size_t>(table.first[i])];
          const double b = row[static_cast<std::size_t>(table.second[i])];
          const double want = a + static_cast<double>(table.weight[i]) * (b - a);
          ASSERT_NEAR(plain[i], want, 1e-4) << size << " to " << count << " at " << i;
          ASSERT_NEAR(fast[i], want, 1e-4) << size << " to " << count << " at " << i;
        }
      }
    }
  }
}

TEST(BlendRows, WeighsTheLower) {
  const std::vector<float> top{0, 10, 20};
  const std::vector<float> bottom{4, 10, 0};
  std::vector<float> out(3);
  blend_rows(top.data(), bottom.data(), 0.25F, 3, out.data());
  EXPECT_EQ(out, (std::vector<float>{1, 10, 15}));
}

}  // namespace
}  // namespace lockstep::augment
