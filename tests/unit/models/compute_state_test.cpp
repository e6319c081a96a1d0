#include "models/compute_state.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

namespace lockstep::models {
namespace {

TEST(ComputeState, DrawsAgainWhatWasDrawn) {
  at::manual_seed(3);
  ComputeState state(true, {});
  const at::Tensor first = at::rand({4});
  state.drop_idle_generators();
  const at::Tensor second = at::rand({4});
  at::Tensor third;
  {
    const ComputeStateScope scope(state);
    EXPECT_TRUE(at::rand({4}).equal(first));
  }
  third = at::rand({4});
  at::manual_seed(3);
  EXPECT_TRUE(at::rand({4}).equal(first));
  EXPECT_TRUE(at::rand({4}).equal(second));
  EXPECT_TRUE(at::rand({4}).equal(third)) << "the scope moved the generator outside";
}

TEST(ComputeState, LeavesGeneratorsAloneThatWereIdleOrNotAskedFor) {
  for (const bool asked : {true, false}) {
    at::manual_seed(3);
    ComputeState state(asked, {});
    if (!asked) at::rand({4});
    state.drop_idle_generators();
    const at::Tensor second = at::rand({4});
    const ComputeStateScope scope(state);
    EXPECT_FALSE(at::rand({4}).equal(second));
  }
}

TEST(ComputeState, AutocastIsInForceInsideAndGoneOutside) {
  at::autocast::set_autocast_enabled(at::kCPU, true);
  at::autocast::set_autocast_dtype(at::kCPU, at::kHalf);
  at::autocast::set_autocast_cache_enabled(false);
  const ComputeState state(false, {});
  at::autocast::set_autocast_enabled(at::kCPU, false);
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  at::autocast::set_autocast_cache_enabled(true);
  const at::Tensor x = at::ones({2, 2});
  {
    const ComputeStateScope scope(state);
    EXPECT_EQ(at::mm(x, x).scalar_type(), at::kHalf);
    EXPECT_FALSE(at::autocast::is_autocast_cache_enabled());
  }
  EXPECT_EQ(at::mm(x, x).scalar_type(), at::kFloat);
  EXPECT_EQ(at::autocast::get_autocast_dtype(at::kCPU), at::kBFloat16);
  EXPECT_TRUE(at::autocast::is_autocast_cache_enabled());
}

}  // namespace
}  // namespace lockstep::models
