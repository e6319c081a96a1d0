#include "comm/scratch_pool.h"

#include <gtest/gtest.h>

#include <utility>

namespace lockstep::comm {
namespace {

TEST(ScratchPool, GivesTheSmallestBlockThatIsLargeEnough) {
  ScratchPool pool;
  auto small = pool.take(100);
  auto large = pool.take(1000);
  const auto* small_data = small.data.get();
  const auto* large_data = large.data.get();
  pool.give_back(std::move(large));
  pool.give_back(std::move(small));
  EXPECT_EQ(pool.num_free(), 2U);
  auto first = pool.take(80);
  EXPECT_EQ(first.data.get(), small_data);
  auto second = pool.take(80);
  EXPECT_EQ(second.data.get(), large_data);
  EXPECT_EQ(pool.num_free(), 0U);
  EXPECT_EQ(pool.take(80).size_bytes, 80U) << "a new one when none is free";
}

TEST(ScratchPool, IgnoresBlocksThatWereNeverTaken) {
  ScratchPool pool;
  pool.give_back({});
  EXPECT_EQ(pool.num_free(), 0U);
}

}  // namespace
}  // namespace lockstep::comm
