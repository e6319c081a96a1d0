#include "comm/solo_group.h"

#include <lockstep/base/error.h>

#include <gtest/gtest.h>

#include <array>

namespace lockstep::comm {
namespace {

TEST(SoloGroup, CollectivesCopyOrKeep) {
  SoloGroup group(gpu::host_backend());
  std::array<float, 3> in{1, 2, 3};
  std::array<float, 3> out{};
  group.all_reduce_async(in.data(), 3, DType::kF32, ReduceOp::kSum, {})->wait({});
  group.broadcast_async(in.data(), 3, DType::kF32, 0, {})->wait({});
  EXPECT_EQ(in, (std::array<float, 3>{1, 2, 3}));
  group.all_gather_async(in.data(), out.data(), 3, DType::kF32, {})->wait({});
  EXPECT_EQ(out, in);
  out.fill(0);
  group.reduce_scatter_async(in.data(), out.data(), 3, DType::kF32, ReduceOp::kMax, {})->wait({});
  EXPECT_EQ(out, in);
  out.fill(0);
  const auto work = group.all_to_all_async(in.data(), out.data(), 3, DType::kF32, {});
  work->wait({});
  EXPECT_TRUE(work->done());
  EXPECT_EQ(out, in);
}

TEST(SoloGroup, HasNobodyToTalkTo) {
  SoloGroup group(gpu::host_backend());
  float value = 0;
  EXPECT_THROW(group.send_async(&value, 1, DType::kF32, 0, {}), Error);
  EXPECT_THROW(group.receive_async(&value, 1, DType::kF32, 0, {}), Error);
}

}  // namespace
}  // namespace lockstep::comm
