// One fills for all who share the memory, and nobody waits for ever for one who is slow or dead.
#include "shared_chunks.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <stdexcept>
#include <thread>
#include <vector>

namespace lockstep::data {
namespace {

constexpr std::uint64_t kChunks = 40;
constexpr std::size_t kBytes = 100;
constexpr std::chrono::milliseconds kPatience{100};

// Zeroed, and the same in a child.
class Memory {
 public:
  explicit Memory(std::uint64_t slots)
      : size_(SharedChunks::memory_bytes(kChunks, kBytes, slots)),
        data_(mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {}
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { munmap(data_, size_); }
  std::span<std::byte> bytes() const { return {static_cast<std::byte*>(data_), size_}; }
  SharedChunks chunks() const { return {bytes(), kChunks, kBytes, kPatience}; }

 private:
  std::size_t size_;
  void* data_;
};

// Asks for a chunk whose bytes are its number; true when they are.
bool read(const SharedChunks& chunks,
          std::uint64_t number,
          std::atomic<int>& fills,
          std::uint64_t uses = 4) {
  const auto held = chunks.get(number, uses, [&](std::span<std::byte> bytes) {
    ++fills;
    std::ranges::fill(bytes, static_cast<std::byte>(number));
  });
  return held && held->bytes().size() == kBytes &&
         std::ranges::all_of(held->bytes(),
                             [&](std::byte b) { return b == static_cast<std::byte>(number); });
}

TEST(SharedChunks, OneFillsForAll) {
  const Memory memory(3);
  const SharedChunks one = memory.chunks();
  const SharedChunks other = memory.chunks();
  EXPECT_EQ(one.num_slots(), 3U);
  std::atomic<int> fills = 0;
  EXPECT_TRUE(read(one, 7, fills));
  EXPECT_TRUE(read(other, 7, fills));
  EXPECT_EQ(fills, 1);
}

TEST(SharedChunks, FinishedOnesGoFirstThenTheLeastRecentlyUsed) {
  const Memory memory(3);
  const SharedChunks chunks = memory.chunks();
  std::atomic<int> fills = 0;
  for (const std::uint64_t number : {1, 2, 3}) read(chunks, number, fills, 2);
  read(chunks, 3, fills, 2);  // finished, though used last
  EXPECT_TRUE(read(chunks, 4, fills, 9));
  EXPECT_EQ(fills, 4);
  read(chunks, 1, fills, 2);
  read(chunks, 2, fills, 2);
  EXPECT_EQ(fills, 4);
  EXPECT_TRUE(read(chunks, 5, fills, 9));  // in place of 1, finished before 2
  EXPECT_TRUE(read(chunks, 6, fills, 9));  // in place of 2
  EXPECT_TRUE(read(chunks, 4, fills, 9));
  EXPECT_EQ(fills, 6);
  EXPECT_TRUE(read(chunks, 7, fills, 9));  // of 4, 5 and 6 the oldest is 5
  EXPECT_TRUE(read(chunks, 6, fills, 9));
  EXPECT_TRUE(read(chunks, 4, fills, 9));
  EXPECT_EQ(fills, 7);
}

TEST(SharedChunks, WhatIsHeldStaysAndWithoutASlotThereIsNothing) {
  const Memory memory(1);
  const SharedChunks chunks = memory.chunks();
  std::atomic<int> fills = 0;
  {
    const auto held = chunks.get(1, 1, [](std::span<std::byte> bytes) { bytes[0] = std::byte{9}; });
    EXPECT_FALSE(read(chunks, 2, fills));
    EXPECT_EQ(held->bytes()[0], std::byte{9});
  }
  EXPECT_TRUE(read(chunks, 2, fills));
  EXPECT_EQ(fills, 1);
}

TEST(SharedChunks, StaysInsideItsMemory) {
  for (const std::size_t missing : {0, 1, 63, 64}) {
    const Memory memory(5);
    const auto part = memory.bytes().first(memory.bytes().size() - missing);
    std::ranges::fill(memory.bytes().subspan(part.size()), std::byte{0xAB});
    const SharedChunks chunks(part, kChunks, kBytes, kPatience);
    EXPECT_EQ(chunks.num_slots(), missing == 0 ? 5U : 4U);
    std::atomic<int> fills = 0;
    for (std::uint64_t number = 0; number < kChunks; ++number) {
      EXPECT_TRUE(read(chunks, number, fills));
    }
    for (const std::byte byte : memory.bytes().subspan(part.size())) {
      ASSERT_EQ(byte, std::byte{0xAB});
    }
  }
  const Memory none(0);
  std::atomic<int> fills = 0;
  EXPECT_FALSE(read(none.chunks(), 3, fills));
}

TEST(SharedChunks, ErrorsGoToTheCallerAndAreNotKept) {
  const Memory memory(1);
  const SharedChunks chunks = memory.chunks();
  EXPECT_THROW(chunks.get(1, 4, [](std::span<std::byte>) { throw std::runtime_error("no"); }),
               std::runtime_error);
  std::atomic<int> fills = 0;
  EXPECT_TRUE(read(chunks, 1, fills));
  EXPECT_EQ(fills, 1);
}

TEST(SharedChunks, ThreadsFillAChunkOnceAndSeveralAtATime) {
  const Memory memory(8);
  std::atomic<int> fills = 0;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const SharedChunks chunks = memory.chunks();
      for (std::uint64_t i = 0; i < 400; ++i) wrong += read(chunks, i / 50, fills, 200) ? 0 : 1;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(fills, 8);
  EXPECT_EQ(wrong, 0);
}

TEST(SharedChunks, ThreadsThatEvictEachOtherSeeWholeChunks) {
  const Memory memory(5);
  std::atomic<int> fills = 0;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const SharedChunks chunks = memory.chunks();
      for (std::uint64_t i = 0; i < 5000; ++i) {
        wrong += read(chunks, (i * 7 + t * 3) % 11, fills, 3) ? 0 : 1;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(SharedChunks, ASlowOneIsWaitedForOnlySoLong) {
  const Memory memory(3);
  const SharedChunks chunks = memory.chunks();
  std::atomic<int> fills = 0;
  std::atomic<bool> begun = false;
  std::atomic<bool> go_on = false;
  std::thread slow([&] {
    const auto held = chunks.get(1, 4, [&](std::span<std::byte> bytes) {
      begun = true;
      while (!go_on) std::this_thread::yield();
      std::ranges::fill(bytes, std::byte{77});
    });
    EXPECT_EQ(held->bytes()[0], std::byte{77});
  });
  while (!begun) std::this_thread::yield();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(read(chunks, 1, fills));
  EXPECT_GE(std::chrono::steady_clock::now() - start, kPatience);
  EXPECT_TRUE(read(chunks, 1, fills));
  EXPECT_EQ(fills, 1);
  go_on = true;
  slow.join();
  // What came late is nobody's, and its slot is used again.
  EXPECT_TRUE(read(chunks, 1, fills));
  for (const std::uint64_t number : {2, 3, 1}) EXPECT_TRUE(read(chunks, number, fills));
  EXPECT_EQ(fills, 3);
}

// All who wait for a slow one grow tired at once, but one of them begins anew and the others wait.
TEST(SharedChunks, OneTakesOverForAllWhoWait) {
  const Memory memory(8);
  const SharedChunks chunks = memory.chunks();
  std::atomic<bool> begun = false;
  std::atomic<bool> go_on = false;
  std::atomic<int> fills = 0;
  std::jthread slow([&] {
    chunks.get(1, 9, [&](std::span<std::byte>) {
      begun = true;
      while (!go_on) std::this_thread::yield();
    });
  });
  while (!begun) std::this_thread::yield();
  {
    std::vector<std::jthread> waiting;
    for (int i = 0; i < 5; ++i) {
      waiting.emplace_back([&] {
        chunks.get(1, 9, [&](std::span<std::byte>) {
          ++fills;
          std::this_thread::sleep_for(kPatience / 2);
        });
      });
    }
  }
  go_on = true;
  EXPECT_EQ(fills, 1);
}

TEST(SharedChunks, AProcessThatDiesWhileItFillsTakesOneSlotWithIt) {
  const Memory memory(2);
  const SharedChunks chunks = memory.chunks();
  const pid_t child = fork();
  if (child == 0) {
    chunks.get(1, 4, [](std::span<std::byte>) { raise(SIGKILL); });
    _exit(1);
  }
  waitpid(child, nullptr, 0);
  std::atomic<int> fills = 0;
  for (const std::uint64_t number : {1, 2, 1, 2}) EXPECT_TRUE(read(chunks, number, fills));
  EXPECT_EQ(fills, 4);
}

TEST(SharedChunks, ProcessesThatDieAnywhereHoldNobodyUp) {
  const Memory memory(kChunks);
  const SharedChunks chunks = memory.chunks();
  std::atomic<int> fills = 0;
  for (int round = 0; round < 12; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      for (std::uint64_t i = 0;; ++i) read(chunks, i * 7 % 11, fills, 1 + i % 3);
    }
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(3 + round);
    int wrong = 0;
    for (std::uint64_t i = 0; std::chrono::steady_clock::now() < until; ++i) {
      wrong += read(chunks, i * 5 % 11, fills, 1 + i % 3) ? 0 : 1;
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    EXPECT_EQ(wrong, 0);
  }
  for (std::uint64_t number = 0; number < 11; ++number) EXPECT_TRUE(read(chunks, number, fills));
}

}  // namespace
}  // namespace lockstep::data
