// What goes through shared memory and what goes on to the group of messages.
#include "comm/window_group.h"

#include "comm/solo_group.h"
#include "window_fixture.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace lockstep::comm {
namespace {

using test::WindowHost;

std::unique_ptr<Group> open_group(WindowHost& host, int rank, bool one_host) {
  return std::make_unique<WindowGroup>(std::make_unique<SoloGroup>(gpu::host_backend()),
                                       host.exchange(rank),
                                       host.pieces(rank),
                                       one_host);
}

// The solo group would leave the buffer as it is.
TEST(WindowGroup, SharedMemoryIsReducedInPlaceAndOtherMemoryByMessages) {
  WindowHost host(2, 64 * sizeof(float));
  host.run([&](int rank) {
    const auto group = open_group(host, rank, true);
    host.floats(rank)[3] = 2;
    auto work = group->all_reduce_async(host.floats(rank), 64, DType::kF32, ReduceOp::kSum, {});
    work->wait({});
    EXPECT_TRUE(work->done());
    EXPECT_GT(work->busy_s(), 0);
    EXPECT_EQ(host.floats(rank)[3], 4);
    std::vector<float> own(64, 1);
    group->all_reduce_async(own.data(), own.size(), DType::kF32, ReduceOp::kSum, {})->wait({});
    EXPECT_EQ(own[3], 1);
  });
}

TEST(WindowGroup, BeyondOneHostOnlyTheAllReduceTakesSharedMemory) {
  WindowHost host(2, 64 * sizeof(float));
  const auto group = open_group(host, 0, false);
  host.floats(0)[0] = 5;
  std::array<float, 1> out{};
  // No peer is there: through shared memory these would not end.
  group->reduce_scatter_async(host.floats(0), out.data(), 1, DType::kF32, ReduceOp::kSum, {})
      ->wait({});
  EXPECT_EQ(out[0], 5);
  group->all_gather_async(out.data(), host.floats(0) + 8, 1, DType::kF32, {})->wait({});
  EXPECT_EQ(host.floats(0)[8], 5);
}

}  // namespace
}  // namespace lockstep::comm
