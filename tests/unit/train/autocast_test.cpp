// Mixed precision ends with its scope and never computes with yesterday's weights.
#include <lockstep/train/autocast.h>

#include <ATen/autocast_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

namespace lockstep::train {
namespace {

bool enabled() { return at::autocast::is_autocast_enabled(at::kCPU); }

TEST(AutocastScope, Fp32ChangesNothing) {
  const AutocastScope scope("fp32", at::kCPU);
  EXPECT_FALSE(enabled());
  EXPECT_EQ(at::ones({2, 2}).mm(at::ones({2, 2})).scalar_type(), at::kFloat);
}

TEST(AutocastScope, ComputesInTheTypeAskedFor) {
  {
    const AutocastScope scope("bf16", at::kCPU);
    EXPECT_EQ(at::ones({2, 2}).mm(at::ones({2, 2})).scalar_type(), at::kBFloat16);
  }
  const AutocastScope scope("fp16", at::kCPU);
  EXPECT_EQ(at::ones({2, 2}).mm(at::ones({2, 2})).scalar_type(), at::kHalf);
}

TEST(AutocastScope, RestoresTheStateBefore) {
  const at::ScalarType before = at::autocast::get_autocast_dtype(at::kCPU);
  {
    const AutocastScope outer("fp16", at::kCPU);
    {
      const AutocastScope inner("bf16", at::kCPU);
      EXPECT_EQ(at::autocast::get_autocast_dtype(at::kCPU), at::kBFloat16);
    }
    EXPECT_TRUE(enabled());
    EXPECT_EQ(at::autocast::get_autocast_dtype(at::kCPU), at::kHalf);
  }
  EXPECT_FALSE(enabled());
  EXPECT_EQ(at::autocast::get_autocast_dtype(at::kCPU), before);
}

TEST(AutocastScope, SeesWeightsThatChangedBetweenTwoScopes) {
  const at::Tensor x = at::ones({1, 2});
  at::Tensor weight = at::ones({2, 1});
  weight.set_requires_grad(true);  // casts of such leaves are cached
  const auto product = [&] {
    const AutocastScope scope("bf16", at::kCPU);
    return x.mm(weight).item<float>();
  };
  EXPECT_EQ(product(), 2.0F);
  weight.detach().fill_(3.0F);
  EXPECT_EQ(product(), 6.0F);
}

}  // namespace
}  // namespace lockstep::train
