// What was kept is found whole, what does not fit is not, and threads that race lose nothing.
#include "sample_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

namespace lockstep::data {
namespace {

struct Memory {
  explicit Memory(std::size_t size_bytes)
      : bytes(static_cast<std::byte*>(std::aligned_alloc(64, size_bytes)), std::free),
        span(bytes.get(), size_bytes) {
    std::ranges::fill(span, std::byte{0});
  }
  std::unique_ptr<std::byte, decltype(&std::free)> bytes;
  std::span<std::byte> span;
};

std::vector<std::byte> pixels_of(std::int64_t index, std::size_t size = 300) {
  std::vector<std::byte> pixels(size);
  for (std::size_t i = 0; i < size; ++i) {
    pixels[i] = static_cast<std::byte>(static_cast<std::size_t>(index) * 31 + i);
  }
  return pixels;
}

bool holds(const SampleCache& cache, std::int64_t index) {
  const auto found = cache.find(index);
  if (!found) return false;
  const auto expected = pixels_of(index);
  EXPECT_EQ(found->size, (ImageSize{10, 10}));
  EXPECT_EQ(found->channels, 3);
  EXPECT_TRUE(std::ranges::equal(found->pixels, expected)) << index;
  return true;
}

TEST(SampleCache, FindsWhatWasKeptAndNothingElse) {
  const Memory memory(64 * 1024);
  const SampleCache cache(memory.span, 50);
  EXPECT_FALSE(cache.find(7));
  cache.keep(7, {10, 10}, 3, pixels_of(7));
  cache.keep(7, {10, 10}, 3, pixels_of(8));  // the first stays
  EXPECT_TRUE(holds(cache, 7));
  EXPECT_FALSE(cache.find(6));
  const SampleCache other(memory.span, 50);  // as another process would
  EXPECT_TRUE(holds(other, 7));
}

TEST(SampleCache, StaysInsideItsBudget) {
  Memory memory(64 * 1024);
  const std::span<std::byte> budget = memory.span.first(32 * 1024);
  std::ranges::fill(memory.span.subspan(budget.size()), std::byte{0xAB});
  const SampleCache cache(budget, 200);
  for (std::int64_t index = 0; index < 200; ++index) {
    cache.keep(index, {10, 10}, 3, pixels_of(index));
  }
  std::int64_t kept = 0;
  for (std::int64_t index = 0; index < 200; ++index) kept += holds(cache, index) ? 1 : 0;
  // 1 block and 13 of states, then 1 + 5 blocks a sample, of 512 in all.
  EXPECT_EQ(kept, (512 - 14) / 6);
  EXPECT_FALSE(cache.has_room(300));
  for (const std::byte byte : memory.span.subspan(budget.size())) {
    ASSERT_EQ(byte, std::byte{0xAB});
  }
}

TEST(SampleCache, TooLittleMemoryKeepsNothing) {
  const Memory memory(128);
  const SampleCache cache(memory.span, 1000);
  cache.keep(3, {10, 10}, 3, pixels_of(3));
  EXPECT_FALSE(cache.find(3));
  EXPECT_FALSE(SampleCache({}, 10).find(3));
}

TEST(SampleCache, ThreadsThatRaceSeeWholeSamples) {
  constexpr std::int64_t kSamples = 400;
  const Memory memory(64 * 1024);  // room for a part
  std::atomic<int> found{0};
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&memory, &found, number] {
      const SampleCache cache(memory.span, kSamples);
      for (std::int64_t i = 0; i < 4 * kSamples; ++i) {
        const std::int64_t index = (i * 7 + number * 13) % kSamples;
        if (holds(cache, index)) {
          ++found;
        } else {
          cache.keep(index, {10, 10}, 3, pixels_of(index));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(found, 0);
}

}  // namespace
}  // namespace lockstep::data
