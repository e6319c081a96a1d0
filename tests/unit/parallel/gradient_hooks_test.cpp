#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <parallel/gradient_hooks.h>

#include <stdexcept>

namespace lockstep::parallel {
namespace {

class GradientHooksTest : public testing::Test {
 protected:
  std::vector<optim::NamedParameter> parameters_ = {{"a", at::randn({2, 2}).requires_grad_(true)},
                                                    {"b", at::randn({2, 2}).requires_grad_(true)}};
  at::Tensor loss() {
    const at::Tensor& a = parameters_[0].tensor;
    return a.matmul(parameters_[1].tensor).matmul(a).sum();
  }
  std::vector<std::size_t> fired_;
};

TEST_F(GradientHooksTest, FireOnceAParameterAfterItsWholeGradientIsThere) {
  at::Tensor seen;
  const GradientHooks hooks(parameters_, [&](std::size_t i) {
    fired_.push_back(i);
    if (i == 0) seen = parameters_[0].tensor.grad().clone();
  });
  loss().backward();  // uses `a` twice
  EXPECT_THAT(fired_, testing::UnorderedElementsAre(0, 1));
  EXPECT_TRUE(seen.equal(parameters_[0].tensor.grad()));
}

TEST_F(GradientHooksTest, StopWithTheObject) {
  {
    const GradientHooks hooks(parameters_, [&](std::size_t i) { fired_.push_back(i); });
  }
  loss().backward();
  EXPECT_TRUE(fired_.empty());
}

TEST_F(GradientHooksTest, WhatTheyThrowComesOutOfBackward) {
  const GradientHooks hooks(parameters_, [](std::size_t) { throw std::runtime_error("no"); });
  EXPECT_THROW(loss().backward(), std::runtime_error);
}

}  // namespace
}  // namespace lockstep::parallel
