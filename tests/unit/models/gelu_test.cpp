#include "models/gelu.h"

#include "models/gelu_kernel.h"
#include "small_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace lockstep::models {
namespace {

TEST(Gelu, KernelEqualsTheFormulaInDoublePrecision) {
  std::vector<float> x;
  for (int i = -60000; i <= 60000; ++i) x.push_back(static_cast<float>(i) * 3e-4F);
  x.insert(x.end(), {0.F, -0.F, 1e-30F, -1e-30F, 40.F, -40.F, 1e4F, -1e4F});
  std::vector<float> y(x.size());
  std::vector<float> slope(x.size());
  gelu_with_slope(x.data(), y.data(), slope.data(), x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double value = x[i];
    const double phi = 0.5 * std::erfc(-value / std::sqrt(2.0));
    const double density = std::exp(-value * value / 2) / std::sqrt(2 * M_PI);
    const double scale = std::max(1.0, std::fabs(value));
    ASSERT_NEAR(y[i], value * phi, 4e-7 * scale) << value;
    ASSERT_NEAR(slope[i], phi + value * density, 4e-7 * scale) << value;
  }
}

TEST(Gelu, NanStaysNan) {
  const float x = std::numeric_limits<float>::quiet_NaN();
  float y = 0;
  float slope = 0;
  gelu_with_slope(&x, &y, &slope, 1);
  EXPECT_TRUE(std::isnan(y));
  EXPECT_TRUE(std::isnan(slope));
}

TEST(Gelu, GradientEqualsTorch) {
  at::manual_seed(4);
  const at::Tensor ours = (3 * at::randn({37, 53})).requires_grad_();
  const at::Tensor theirs = ours.detach().clone().requires_grad_();
  const at::Tensor gradient = at::randn({37, 53});
  const at::Tensor y = exact_gelu(ours);
  y.backward(gradient);
  const at::Tensor expected = at::gelu(theirs);
  expected.backward(gradient);
  EXPECT_LT(max_abs(y - expected), 2e-6);
  EXPECT_LT(max_abs(ours.grad() - theirs.grad()), 2e-6);
}

TEST(Gelu, OtherTypesGoToTorch) {
  const at::Tensor x = at::randn({8}).to(at::kBFloat16).requires_grad_();
  EXPECT_TRUE(at::equal(exact_gelu(x), at::gelu(x)));
  const at::Tensor plain = at::randn({8});
  EXPECT_TRUE(at::equal(exact_gelu(plain), at::gelu(plain)));
}

}  // namespace
}  // namespace lockstep::models
