// Philox against the published known answers, and what streams promise.
#include <lockstep/base/random.h>

#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using ::testing::ElementsAre;

constexpr std::uint64_t kOnes = ~std::uint64_t{0};

// Random123, tests/kat_vectors, lines "philox4x32 10".
TEST(Philox, KnownAnswers) {
  EXPECT_THAT(philox(0, 0, 0), ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  EXPECT_THAT(philox(kOnes, kOnes, kOnes),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(philox(0x299f31d0'a4093822, 0x85a308d3'243f6a88, 0x03707344'13198a2e),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(PhiloxStream, WalksTheBlocksOfItsStream) {
  PhiloxStream stream(7, 9);
  for (std::uint64_t block = 0; block < 3; ++block) {
    for (const std::uint32_t word : philox(7, block, 9)) EXPECT_EQ(stream.next_u32(), word);
  }
}

TEST(PhiloxStream, SixtyFourBitsAreTwoWordsLowFirst) {
  PhiloxStream words(1, 2);
  PhiloxStream pairs(1, 2);
  for (int i = 0; i < 10; ++i) {
    const std::uint64_t low = words.next_u32();
    const std::uint64_t high = words.next_u32();
    EXPECT_EQ(pairs.next_u64(), low | (high << 32));
  }
}

TEST(PhiloxStream, CopiesGoOnAlike) {
  PhiloxStream first(3, 4);
  first.next_u32();
  PhiloxStream second = first;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(first.next_u64(), second.next_u64());
}

// Chi-square of `counts` against equal expectations.
double chi_square(const std::vector<std::int64_t>& counts) {
  std::int64_t total = 0;
  for (const std::int64_t count : counts) total += count;
  const double expected = static_cast<double>(total) / static_cast<double>(counts.size());
  double sum = 0;
  for (const std::int64_t count : counts) {
    const double off = static_cast<double>(count) - expected;
    sum += off * off / expected;
  }
  return sum;
}

// Mean + 5 standard deviations of a chi-square with `bins` - 1 degrees of freedom.
double chi_square_limit(std::size_t bins) {
  const auto degrees = static_cast<double>(bins - 1);
  return degrees + 5 * std::sqrt(2 * degrees);
}

TEST(Below, IsUniform) {
  for (const std::uint64_t bound : {2U, 3U, 10U, 97U}) {
    PhiloxStream stream(11, bound);
    std::vector<std::int64_t> counts(bound);
    for (int i = 0; i < 100'000; ++i) ++counts.at(stream.below(bound));
    EXPECT_LT(chi_square(counts), chi_square_limit(counts.size())) << bound;
  }
}

// Without rejection, the lower half of the range would be drawn twice as often here.
TEST(Below, RejectsWhereTheRemainderWouldBias) {
  const std::uint64_t bound = (std::uint64_t{1} << 63) + (std::uint64_t{1} << 62);
  PhiloxStream stream(12, 0);
  std::vector<std::int64_t> thirds(3);
  for (int i = 0; i < 30'000; ++i) ++thirds.at(stream.below(bound) / (bound / 3));
  EXPECT_LT(chi_square(thirds), chi_square_limit(3));
}

TEST(Below, StaysInsideItsBound) {
  PhiloxStream stream(13, 0);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(stream.below(1), 0U);
  for (int i = 0; i < 100; ++i) EXPECT_LT(stream.below(kOnes), kOnes);
}

TEST(Uniform, LiesInTheHalfOpenIntervalAndFillsIt) {
  PhiloxStream stream(14, 0);
  std::vector<std::int64_t> bins(100);
  for (int i = 0; i < 100'000; ++i) {
    const double value = stream.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    ++bins[static_cast<std::size_t>(value * 100)];
  }
  EXPECT_LT(chi_square(bins), chi_square_limit(bins.size()));
}

TEST(Streams, OfDifferentKeysAndNumbersShareNothing) {
  std::set<std::uint64_t> seen;
  constexpr int kWords = 1000;
  for (std::uint64_t key = 0; key < 4; ++key) {
    for (std::uint64_t number = 0; number < 4; ++number) {
      PhiloxStream stream(key, number);
      for (int i = 0; i < kWords; ++i) seen.insert(stream.next_u64());
    }
  }
  EXPECT_EQ(seen.size(), 16U * kWords);
}

// Neighbouring streams: joint distribution of (a, b) over an 8 x 8 grid.
TEST(Streams, AreIndependent) {
  for (const auto& [key, number] :
       std::vector<std::pair<std::uint64_t, std::uint64_t>>{{1, 0}, {0, 1}, {kOnes, kOnes}}) {
    PhiloxStream a(0, 0);
    PhiloxStream b(key, number);
    std::vector<std::int64_t> cells(64);
    for (int i = 0; i < 64'000; ++i) ++cells[a.below(8) * 8 + b.below(8)];
    EXPECT_LT(chi_square(cells), chi_square_limit(cells.size())) << key << " " << number;
  }
}

}  // namespace
}  // namespace lockstep
