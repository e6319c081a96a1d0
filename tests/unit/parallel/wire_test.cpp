// Packing and unpacking alone; what ranks make of it is in tests/mpi/wire_test.cpp.
#include "parallel/wire.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace lockstep::parallel {
namespace {

class WireTest : public testing::Test {
 protected:
  WireTest() {
    tensor_.set_requires_grad(true);
    optim::Layout layout;
    layout.offset = {0};
    layout.total = 96;
    layout.stats_offset = 64;
    arena_ = std::make_unique<optim::Arena>(
        *world_, std::vector<optim::NamedParameter>{{"p", tensor_}}, layout, at::kCPU);
  }
  std::unique_ptr<comm::World> world_ = comm::open_solo_world();
  at::Tensor tensor_ = at::zeros({64});
  std::unique_ptr<optim::Arena> arena_;
};

TEST_F(WireTest, WhatRoundingTakesComesBackInTheNextStep) {
  Wire wire(*world_, *arena_, comm::DType::kBF16);
  // 1 + 2^-9 rounds to 1 in bf16; two left-overs make 2^-8, half of the last place, and four of
  // them one last place of 2^-7.
  at::Tensor gradients = arena_->gradients();
  double sum = 0;
  for (int step = 0; step < 4; ++step) {
    gradients.fill_(1.0 + 0x1p-9);
    wire.pack(0, 64);
    wire.unpack(0, 64);
    sum += gradients[3].item<double>();
  }
  EXPECT_EQ(sum, 4 * (1.0 + 0x1p-9));
}

// A step that overflowed somewhere has large finite gradients elsewhere: what rounding took from
// them must not come back in the next step.
TEST_F(WireTest, ASkippedStepLeavesNothing) {
  Wire wire(*world_, *arena_, comm::DType::kBF16);
  at::Tensor updates = at::zeros({}, at::kLong);
  const at::Tensor scale = at::ones({});
  wire.follow(updates, scale);
  at::Tensor gradients = arena_->gradients();
  const auto step = [&](double gradient, bool applied) {
    wire.begin_step();
    gradients.fill_(gradient);
    wire.pack(0, 64);
    wire.unpack(0, 64);
    if (applied) updates.add_(1);
    return gradients[3].item<float>();
  };
  step(1.003e20, false);
  EXPECT_EQ(step(0.25, true), 0.25F);
  step(1.0 + 0x1p-8, true);  // leaves something, and was applied
  EXPECT_EQ(step(0, true), 0x1p-8F);
}

TEST_F(WireTest, LeftOversFollowTheLossScale) {
  Wire wire(*world_, *arena_, comm::DType::kBF16);
  at::Tensor updates = at::zeros({}, at::kLong);
  at::Tensor scale = at::ones({});
  wire.follow(updates, scale);
  at::Tensor gradients = arena_->gradients();
  wire.begin_step();
  gradients.fill_(1.0 + 0x1p-8);
  wire.pack(0, 64);
  updates.add_(1);
  scale.mul_(2);
  wire.begin_step();
  gradients.zero_();
  wire.pack(0, 64);
  wire.unpack(0, 64);
  EXPECT_EQ(gradients[3].item<float>(), 0x1p-7F);
}

TEST_F(WireTest, ForgetsWhatRehearsalsLeft) {
  Wire wire(*world_, *arena_, comm::DType::kBF16);
  at::Tensor gradients = arena_->gradients();
  gradients.fill_(1.0 + 0x1p-8);
  wire.pack(0, 64);
  wire.forget();
  gradients.zero_();
  wire.pack(0, 64);
  wire.unpack(0, 64);
  EXPECT_EQ(gradients[3].item<float>(), 0.0F);
}

TEST_F(WireTest, OnlyTheRangeIsTouched) {
  Wire wire(*world_, *arena_, comm::DType::kF16);
  at::Tensor gradients = arena_->gradients();
  gradients.fill_(1.0 + 0x1p-20);
  wire.pack(10, 20);
  wire.unpack(10, 20);
  EXPECT_EQ(gradients[9].item<float>(), 1.0F + 0x1p-20F);
  EXPECT_EQ(gradients[10].item<float>(), 1.0F);
  EXPECT_EQ(gradients[20].item<float>(), 1.0F + 0x1p-20F);
}

}  // namespace
}  // namespace lockstep::parallel
