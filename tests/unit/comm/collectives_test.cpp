// One rank; more ranks: tests/mpi/collectives_test.cpp.
#include <lockstep/comm/world.h>

#include <gtest/gtest.h>

namespace lockstep::comm {
namespace {

TEST(Collectives, OfOneRankKeepTheirValues) {
  const auto world = open_solo_world();
  double numbers[] = {1.5, -2};
  std::int64_t counts[] = {7};
  all_reduce(world->control(), std::span(numbers), ReduceOp::kSum);
  all_reduce(world->control(), std::span(counts), ReduceOp::kMin);
  EXPECT_EQ(numbers[0], 1.5);
  EXPECT_EQ(counts[0], 7);
  EXPECT_EQ(broadcast_text(world->control(), "text", 0), "text");
  EXPECT_EQ(all_gather_text(world->control(), "own"), std::vector<std::string>{"own"});
  EXPECT_EQ(all_gather_text(world->control(), ""), std::vector<std::string>{""});
  barrier(world->control());
}

}  // namespace
}  // namespace lockstep::comm
