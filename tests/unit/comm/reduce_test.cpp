#include "comm/reduce.h"

#include "comm/half.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <vector>

namespace lockstep::comm {
namespace {

template <class T>
std::vector<T> reduced(const std::vector<std::vector<T>>& ranks, DType type, ReduceOp op) {
  std::vector<const void*> sources;
  for (const auto& values : ranks) sources.push_back(values.data());
  std::vector<T> result(ranks[0].size());
  reduce_in_order(sources, result.data(), result.size(), type, op);
  return result;
}

TEST(Reduce, SumMinMax) {
  const std::vector<std::vector<std::int64_t>> ranks{{1, -5, 9}, {2, 7, 9}, {3, 0, -9}};
  using Values = std::vector<std::int64_t>;
  EXPECT_EQ(reduced(ranks, DType::kI64, ReduceOp::kSum), (Values{6, 2, 9}));
  EXPECT_EQ(reduced(ranks, DType::kI64, ReduceOp::kMin), (Values{1, -5, -9}));
  EXPECT_EQ(reduced(ranks, DType::kI64, ReduceOp::kMax), (Values{3, 7, 9}));
}

// (1e8 + 1) - 1e8 is 0 in fp32 and (1e8 - 1e8) + 1 is 1: the order is the ranks'.
TEST(Reduce, AddsInRankOrder) {
  const float big = 1e8F;
  EXPECT_EQ(reduced<float>({{big}, {1}, {-big}}, DType::kF32, ReduceOp::kSum)[0], 0.0F);
  EXPECT_EQ(reduced<float>({{big}, {-big}, {1}}, DType::kF32, ReduceOp::kSum)[0], 1.0F);
}

// (1e8 + 1) + (-1e8 + 1) is 0 in fp32, one after the other it is 1: neighbours come first.
TEST(Reduce, AddsInATree) {
  const float big = 1e8F;
  EXPECT_EQ(reduced<float>({{big}, {1}, {-big}, {1}}, DType::kF32, ReduceOp::kSum)[0], 0.0F);
}

TEST(Reduce, NeighbouringGroupsOfTwoToTheKGiveTheBitsOfTheWhole) {
  std::vector<std::vector<float>> ranks(16, std::vector<float>(3000));
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    for (std::size_t i = 0; i < ranks[r].size(); ++i) {
      ranks[r][i] = 1.0F / static_cast<float>(1 + (i * 7 + r * 31) % 1009);
    }
  }
  const auto whole = reduced(ranks, DType::kF32, ReduceOp::kSum);
  for (const std::size_t group : {2U, 4U, 8U}) {
    std::vector<std::vector<float>> sums;
    for (std::size_t begin = 0; begin < ranks.size(); begin += group) {
      sums.push_back(
          reduced(std::vector(ranks.begin() + static_cast<std::ptrdiff_t>(begin),
                              ranks.begin() + static_cast<std::ptrdiff_t>(begin + group)),
                  DType::kF32,
                  ReduceOp::kSum));
    }
    EXPECT_EQ(reduced(sums, DType::kF32, ReduceOp::kSum), whole) << group;
  }
}

TEST(Reduce, AnyNumberOfRanksAddsUp) {
  for (std::size_t ranks = 1; ranks <= 33; ++ranks) {
    std::vector<std::vector<std::int64_t>> values;
    for (std::size_t r = 0; r < ranks; ++r) values.push_back({std::int64_t{1} << r, 1});
    const auto sums = reduced(values, DType::kI64, ReduceOp::kSum);
    EXPECT_EQ(sums[0], (std::int64_t{1} << ranks) - 1);
    EXPECT_EQ(sums[1], static_cast<std::int64_t>(ranks));
  }
}

// 256 + 1 + 1 rounds to 256 twice when every partial sum is rounded to bf16's 8 bits.
TEST(Reduce, RoundsHalfTypesOnce) {
  const auto b = [](float value) { return std::vector<std::uint16_t>{bf16_from_float(value)}; };
  const auto h = [](float value) { return std::vector<std::uint16_t>{f16_from_float(value)}; };
  const auto bf16 = reduced<std::uint16_t>({b(256), b(1), b(1)}, DType::kBF16, ReduceOp::kSum);
  EXPECT_EQ(float_from_bf16(bf16[0]), 258.0F);
  const auto f16 = reduced<std::uint16_t>({h(2048), h(1), h(1)}, DType::kF16, ReduceOp::kSum);
  EXPECT_EQ(float_from_f16(f16[0]), 2050.0F);
}

TEST(Reduce, InPlaceOverManyBlocks) {
  std::vector<float> own(10000, 1);
  const std::vector<float> other(10000, 2);
  const std::array<const void*, 2> sources{other.data(), own.data()};
  reduce_in_order(sources, own.data(), own.size(), DType::kF32, ReduceOp::kSum);
  for (const float value : own) ASSERT_EQ(value, 3.0F);
}

// A rank's NaN must reach all: the sum of gradients is how a bad step is found.
TEST(Reduce, KeepsNanAndInfinity) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const auto sums = reduced<float>({{nan, infinity}, {1, 1}}, DType::kF32, ReduceOp::kSum);
  EXPECT_TRUE(sums[0] != sums[0]);
  EXPECT_EQ(sums[1], infinity);
}

}  // namespace
}  // namespace lockstep::comm
