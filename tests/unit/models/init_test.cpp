#include "models/init.h"

#include "small_model.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace lockstep::models {
namespace {

TEST(Init, NormalHasTheMomentsAskedFor) {
  Initializer init(5);
  const at::Tensor x = init.normal({400, 501}, 0.02);
  EXPECT_NEAR(x.mean().item<double>(), 0, 2e-4);
  EXPECT_NEAR(x.std().item<double>(), 0.02, 1e-4);
  EXPECT_LT(max_abs(x), 0.02 * 6.8);
  // Kurtosis tells a normal (3) from a uniform (1.8).
  EXPECT_NEAR((x / 0.02).pow(4).mean().item<double>(), 3, 0.1);
}

TEST(Init, UniformFillsItsBounds) {
  Initializer init(5);
  const at::Tensor x = init.uniform({100003}, 0.25);
  EXPECT_LT(max_abs(x), 0.25);
  EXPECT_GT(max_abs(x), 0.2499);
  EXPECT_NEAR(x.std().item<double>(), 0.25 / std::sqrt(3.0), 1e-3);
}

TEST(Init, IsAFunctionOfSeedAndPlaceAlone) {
  const int threads = at::get_num_threads();
  Initializer first(5);
  Initializer second(5);
  const at::Tensor a = first.normal({300, 301}, 1);
  at::set_num_threads(1);
  const at::Tensor b = second.normal({300, 301}, 1);
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(a, b));
  EXPECT_FALSE(at::equal(a, second.normal({300, 301}, 1)));
  EXPECT_FALSE(at::equal(a, Initializer(6).normal({300, 301}, 1)));
}

}  // namespace
}  // namespace lockstep::models
