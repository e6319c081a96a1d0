#include <gmock/gmock.h>
#include <optim/cpu_kernels.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace lockstep::optim {
namespace {

std::vector<float> random_values(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

TEST(CpuKernels, SumOfSquaresForEveryTailLength) {
  for (std::size_t count = 0; count < 100; ++count) {
    const std::vector<float> values = random_values(count, static_cast<unsigned>(count));
    double expected = 0;
    for (const float x : values) expected += static_cast<double>(x) * static_cast<double>(x);
    EXPECT_NEAR(sum_of_squares(values.data(), static_cast<std::int64_t>(count)),
                expected,
                1e-12 * expected);
  }
}

TEST(CpuKernels, SumOfSquaresDoesNotOverflowBeforeTheGradientsDo) {
  const std::vector<float> values(64, 1e30F);
  EXPECT_NEAR(sum_of_squares(values.data(), 64) / 64e60, 1.0, 1e-6);
}

TEST(CpuKernels, SumOfSquaresCarriesNonFiniteValues) {
  for (const float bad :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    for (const std::size_t at : {std::size_t{0}, std::size_t{37}, std::size_t{66}}) {
      std::vector<float> values(67, 1.0F);
      values[at] = bad;
      EXPECT_FALSE(std::isfinite(sum_of_squares(values.data(), 67)));
    }
  }
}

// Compiled here without vector widths or fused multiply-add: the same bits on every processor.
TEST(CpuKernels, TheWidePassEqualsTheElementRuleBitForBit) {
  const ElementFactors factors{0.5F, 0.999F, 0.1F, 0.999F, 0.001F, 3.0F, 1e-8F, 1e-2F};
  for (const std::size_t count : {1U, 15U, 16U, 17U, 1000U}) {
    std::vector<float> p = random_values(count, 1);
    std::vector<float> m = random_values(count, 2);
    std::vector<float> v(count, 0.25F);
    std::vector<float> g = random_values(count, 3);
    std::vector<float> p1 = p, m1 = m, v1 = v;
    for (std::size_t i = 0; i < count; ++i) update_element(factors, p1[i], m1[i], v1[i], g[i]);
    adamw_pass(factors, p.data(), m.data(), v.data(), g.data(), static_cast<std::int64_t>(count));
    EXPECT_EQ(p, p1);
    EXPECT_EQ(m, m1);
    EXPECT_EQ(v, v1);
    EXPECT_EQ(g, std::vector<float>(count, 0.0F));
  }
}

}  // namespace
}  // namespace lockstep::optim
