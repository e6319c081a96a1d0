// The exchange with threads as ranks; processes are in tests/mpi.
#include "comm/window_exchange.h"

#include "window_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

namespace lockstep::comm {
namespace {

using test::WindowHost;

WindowCall all_reduce(std::size_t count, std::size_t first = 0) {
  WindowCall call;
  call.count = count;
  call.place = {0, first * sizeof(float)};
  return call;
}

float value_of(int rank, std::size_t index) {
  return static_cast<float>((rank + 1) * static_cast<int>(index % 7));
}

float sum_of(int ranks, std::size_t index) { return value_of(ranks * (ranks + 1) / 2 - 1, index); }

class AnyNumberOfRanks : public testing::TestWithParam<int> {};

TEST_P(AnyNumberOfRanks, AllReduceGivesEveryRankTheSum) {
  constexpr std::size_t kCount = 5003;
  WindowHost host(GetParam(), kCount * sizeof(float));
  host.run([&](int rank) {
    for (std::size_t i = 0; i < kCount; ++i) host.floats(rank)[i] = value_of(rank, i);
    host.exchange(rank)->wait(*host.exchange(rank)->post(all_reduce(kCount)));
    for (std::size_t i = 0; i < kCount; ++i) {
      EXPECT_EQ(host.floats(rank)[i], sum_of(host.size(), i)) << rank << " " << i;
    }
  });
}

// More in flight than the board has tickets, of sizes that leave ranks without a slice, waited for
// in reverse.
TEST_P(AnyNumberOfRanks, ManyInFlight) {
  constexpr std::size_t kMany = 3 * kNumTickets;
  constexpr std::size_t kCount = 130;
  WindowHost host(GetParam(), kMany * kCount * sizeof(float));
  host.run([&](int rank) {
    std::vector<std::shared_ptr<WindowOperation>> operations;
    std::fill_n(host.floats(rank), kMany * kCount, static_cast<float>(rank + 1));
    for (std::size_t k = 0; k < kMany; ++k) {
      operations.push_back(host.exchange(rank)->post(all_reduce(1 + k % kCount, k * kCount)));
    }
    for (auto it = operations.rbegin(); it != operations.rend(); ++it) {
      host.exchange(rank)->wait(**it);
    }
    const auto sum = static_cast<float>(host.size() * (host.size() + 1) / 2);
    for (std::size_t k = 0; k < kMany; ++k) {
      EXPECT_EQ(host.floats(rank)[k * kCount + k % kCount], sum) << k;
    }
    EXPECT_EQ(host.floats(rank)[1], host.size() == 1 ? 1 : static_cast<float>(rank + 1))
        << "beyond the first, of one element";
  });
}

TEST_P(AnyNumberOfRanks, ReduceScatterLeavesItsInputAlone) {
  constexpr std::size_t kSlice = 301;
  WindowHost host(GetParam(), kSlice * sizeof(float) * static_cast<std::size_t>(GetParam()));
  host.run([&](int rank) {
    const std::size_t total = kSlice * static_cast<std::size_t>(host.size());
    for (std::size_t i = 0; i < total; ++i) host.floats(rank)[i] = value_of(rank, i);
    std::vector<float> out(kSlice);
    WindowCall call = all_reduce(kSlice);
    call.verb = WindowVerb::kReduceScatter;
    call.out = reinterpret_cast<std::byte*>(out.data());
    host.exchange(rank)->wait(*host.exchange(rank)->post(call));
    const std::size_t begin = kSlice * static_cast<std::size_t>(rank);
    for (std::size_t i = 0; i < kSlice; ++i) EXPECT_EQ(out[i], sum_of(host.size(), begin + i));
    for (std::size_t i = 0; i < total; ++i) EXPECT_EQ(host.floats(rank)[i], value_of(rank, i));
  });
}

TEST_P(AnyNumberOfRanks, AllGatherInPlaceAndFromElsewhere) {
  constexpr std::size_t kSlice = 77;
  WindowHost host(GetParam(), kSlice * sizeof(float) * static_cast<std::size_t>(GetParam()));
  host.run([&](int rank) {
    std::vector<float> own(kSlice);
    for (const bool in_place : {false, true}) {
      for (std::size_t i = 0; i < kSlice; ++i) own[i] = value_of(rank, i + (in_place ? 1 : 0));
      float* const slice = host.floats(rank) + kSlice * static_cast<std::size_t>(rank);
      if (in_place) std::ranges::copy(own, slice);
      WindowCall call = all_reduce(kSlice);
      call.verb = WindowVerb::kAllGather;
      call.in = reinterpret_cast<const std::byte*>(in_place ? slice : own.data());
      host.exchange(rank)->wait(*host.exchange(rank)->post(call));
      for (std::size_t i = 0; i < kSlice * static_cast<std::size_t>(host.size()); ++i) {
        const int from = static_cast<int>(i / kSlice);
        EXPECT_EQ(host.floats(rank)[i], value_of(from, i % kSlice + (in_place ? 1 : 0)));
      }
      // Nobody writes the next round before all have read this one.
      host.exchange(rank)->wait(*host.exchange(rank)->post(all_reduce(0)));
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Ranks, AnyNumberOfRanks, testing::Values(1, 2, 3, 4));

// A rank's buffer is its own again when its operation is done: peers have read and written it.
TEST(WindowExchange, ABufferIsFreeWhenItsOperationIsDone) {
  constexpr std::size_t kCount = 1000;
  WindowHost host(3, kCount * sizeof(float));
  host.run([&](int rank) {
    for (int round = 0; round < 200; ++round) {
      std::fill_n(host.floats(rank), kCount, static_cast<float>(round));
      host.exchange(rank)->wait(*host.exchange(rank)->post(all_reduce(kCount)));
      for (std::size_t i = 0; i < kCount; ++i) {
        ASSERT_EQ(host.floats(rank)[i], static_cast<float>(3 * round)) << rank;
      }
    }
  });
}

// advance() alone completes an operation: a rank need not wait to be of use.
TEST(WindowExchange, LookingIsEnough) {
  WindowHost host(2, 4 * sizeof(float));
  const auto first = host.exchange(0)->post(all_reduce(4));
  EXPECT_FALSE(first->finished());
  host.exchange(0)->advance();
  EXPECT_FALSE(first->finished()) << "the peer is not there";
  const auto second = host.exchange(1)->post(all_reduce(4));
  EXPECT_FALSE(second->finished()) << "rank 0 did not do its share";
  host.exchange(0)->advance();
  EXPECT_TRUE(first->finished());
  EXPECT_FALSE(second->finished());
  host.exchange(1)->advance();
  EXPECT_TRUE(second->finished());
  EXPECT_GE(second->end_s, second->start_s);
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(WindowExchange, APeerThatDoesNotComeIsATimeOut) {
  WindowHost host(2, 1000 * sizeof(float), 0.05);
  const auto operation = host.exchange(0)->post(all_reduce(1000));
  EXPECT_THAT(error_of([&] { host.exchange(0)->wait(*operation); }),
              testing::HasSubstr("all-reduce of 3.9 KiB in the data group on rank 0 of 2"));
  EXPECT_EQ(host.num_failures, 1);
  // Whatever comes later fails at once with the same words.
  const auto later = host.exchange(0)->post(all_reduce(8));
  EXPECT_TRUE(later->finished());
  EXPECT_THAT(error_of([&] { host.exchange(0)->wait(*later); }),
              testing::HasSubstr("all-reduce of 3.9 KiB"));
  EXPECT_EQ(host.num_failures, 1);
}

TEST(WindowExchange, DifferentCallsAreNamedOnAllRanks) {
  WindowHost host(2, 1000 * sizeof(float));
  host.run([&](int rank) {
    const auto operation = host.exchange(rank)->post(all_reduce(rank == 0 ? 100 : 200));
    EXPECT_THAT(error_of([&] { host.exchange(rank)->wait(*operation); }),
                testing::AllOf(testing::HasSubstr("all-reduce (sum) of 100 fp32 at byte 0"),
                               testing::HasSubstr("all-reduce (sum) of 200 fp32 at byte 0")));
  });
  EXPECT_EQ(host.num_failures, 2);
}

TEST(WindowExchange, EveryPartOfACallIsCompared) {
  std::vector<WindowCall> others(5, all_reduce(64));
  others[0].type = DType::kI32;
  others[1].op = ReduceOp::kMax;
  others[2].verb = WindowVerb::kAllGather;
  others[3].place.offset = 4;
  others[4].count = 63;
  for (const WindowCall& other : others) {
    WindowHost host(2, 1000 * sizeof(float), 5);
    host.run([&](int rank) {
      const auto operation = host.exchange(rank)->post(rank == 0 ? all_reduce(64) : other);
      EXPECT_THAT(error_of([&] { host.exchange(rank)->wait(*operation); }),
                  testing::HasSubstr("same calls in the same order"));
    });
  }
}

}  // namespace
}  // namespace lockstep::comm
