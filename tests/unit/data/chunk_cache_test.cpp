// One thread fills, others wait; the oldest goes; errors are not kept.
#include "chunk_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace lockstep::data {
namespace {

ChunkCache::Fill number(int value, std::atomic<int>& fills) {
  return [value, &fills](std::span<std::byte> bytes) {
    ++fills;
    for (auto& byte : bytes) byte = static_cast<std::byte>(value);
  };
}

TEST(ChunkCache, KeepsTheMostRecentlyUsed) {
  ChunkCache cache(4, 2);
  std::atomic<int> fills = 0;
  cache.get(1, number(1, fills));
  cache.get(2, number(2, fills));
  cache.get(1, number(1, fills));
  EXPECT_EQ(fills, 2);
  cache.get(3, number(3, fills));
  EXPECT_EQ(fills, 3);
  EXPECT_EQ(cache.get(1, number(1, fills))->front(), std::byte{1});
  EXPECT_EQ(fills, 3);
  cache.get(2, number(2, fills));
  EXPECT_EQ(fills, 4);
}

TEST(ChunkCache, KeepOnlyGrows) {
  ChunkCache cache(4, 1);
  cache.keep(3);
  cache.keep(2);
  std::atomic<int> fills = 0;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 3; ++i) cache.get(static_cast<std::uint64_t>(i), number(i, fills));
  }
  EXPECT_EQ(fills, 3);
}

TEST(ChunkCache, WhatACallerHoldsIsNotOverwritten) {
  ChunkCache cache(4, 1);
  std::atomic<int> fills = 0;
  const auto first = cache.get(1, number(1, fills));
  const auto second = cache.get(2, number(2, fills));
  EXPECT_EQ(first->front(), std::byte{1});
  EXPECT_EQ(second->front(), std::byte{2});
}

TEST(ChunkCache, ErrorsGoToTheCallerAndAreNotKept) {
  ChunkCache cache(4, 2);
  std::atomic<int> fills = 0;
  EXPECT_THROW(cache.get(1, [](std::span<std::byte>) { throw std::runtime_error("no"); }),
               std::runtime_error);
  EXPECT_EQ(cache.get(1, number(1, fills))->front(), std::byte{1});
}

TEST(ChunkCache, ThreadsFillAChunkOnceAndSeveralAtATime) {
  ChunkCache cache(64, 8);
  std::atomic<int> fills = 0;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 400; ++i) {
        const int wanted = i / 50;
        const auto chunk = cache.get(static_cast<std::uint64_t>(wanted), number(wanted, fills));
        if (chunk->back() != static_cast<std::byte>(wanted)) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(fills, 8);
  EXPECT_EQ(wrong, 0);
}

TEST(ChunkCache, ThreadsThatEvictEachOtherSeeWholeChunks) {
  ChunkCache cache(64, 2);
  std::atomic<int> fills = 0;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < 2000; ++i) {
        const int wanted = static_cast<int>((i * 7 + t * 3) % 11);
        const auto chunk = cache.get(static_cast<std::uint64_t>(wanted), number(wanted, fills));
        for (const auto byte : *chunk) wrong += byte == static_cast<std::byte>(wanted) ? 0 : 1;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace lockstep::data
