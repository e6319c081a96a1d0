#include "models/random_mask.h"

#include "small_model.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace lockstep::models {
namespace {

ForwardContext context_for(std::vector<std::int64_t> ids, std::int64_t step = 3) {
  return {17, step, at::tensor(ids)};
}

TEST(RandomMask, DropPathDependsOnTheSampleAndNotOnItsBatch) {
  const std::vector<double> rates{0.5, 0.5};
  const at::Tensor all = drop_path_factors(context_for({4, 9, 2, 7}), rates, 10, at::kCPU);
  const at::Tensor some = drop_path_factors(context_for({7, 4}), rates, 10, at::kCPU);
  EXPECT_TRUE(at::equal(all.select(1, 3), some.select(1, 0)));
  EXPECT_TRUE(at::equal(all.select(1, 0), some.select(1, 1)));
}

TEST(RandomMask, DropPathKeepsTheMeanAndDiffersByStepAndSite) {
  std::vector<std::int64_t> ids(20000);
  std::iota(ids.begin(), ids.end(), 0);
  const at::Tensor first = drop_path_factors(context_for(ids), {0.3, 0.3}, 10, at::kCPU);
  EXPECT_NEAR((first == 0).to(at::kFloat).mean().item<double>(), 0.3, 0.01);
  EXPECT_NEAR(first.mean().item<double>(), 1, 0.02);
  EXPECT_FALSE(at::equal(first[0], first[1]));
  const at::Tensor later = drop_path_factors(context_for(ids, 4), {0.3, 0.3}, 10, at::kCPU);
  const double agree = (first == later).to(at::kFloat).mean().item<double>();
  EXPECT_NEAR(agree, 0.3 * 0.3 + 0.7 * 0.7, 0.01);
}

TEST(RandomMask, DropoutDependsOnTheSampleAndNotOnItsBatch) {
  const at::Tensor x = at::ones({4, 5, 13});
  const at::Tensor all = dropout(x, 0.4, context_for({4, 9, 2, 7}), 6);
  const at::Tensor some = dropout(x.narrow(0, 0, 2), 0.4, context_for({7, 4}), 6);
  EXPECT_TRUE(at::equal(all[3], some[0]));
  EXPECT_TRUE(at::equal(all[0], some[1]));
  EXPECT_FALSE(at::equal(all[0], all[1]));
}

TEST(RandomMask, DropoutHasItsRateAndGradient) {
  const at::Tensor x = at::ones({16, 50, 64}).requires_grad_();
  std::vector<std::int64_t> ids(16);
  std::iota(ids.begin(), ids.end(), 100);
  const at::Tensor y = dropout(x, 0.1, context_for(ids), 6);
  EXPECT_NEAR((y == 0).to(at::kFloat).mean().item<double>(), 0.1, 0.005);
  EXPECT_NEAR(y.mean().item<double>(), 1, 0.005);
  y.sum().backward();
  EXPECT_TRUE(at::equal(x.grad(), y.detach()));
  EXPECT_TRUE(dropout(x, 0, {}, 6).is_same(x));
}

}  // namespace
}  // namespace lockstep::models
