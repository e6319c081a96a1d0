#include <gmock/gmock.h>
#include <optim/cpu_kernels.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
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

// Settings and a block as they stand inside the update of step `t`.
UpdateSettings settings_for_test() {
  UpdateSettings settings{};
  settings.betas[0] = 0.9;
  settings.betas[1] = 0.99;
  settings.betas[2] = 0.95;
  settings.eps = 1e-8;
  settings.momentum = 0.9;
  settings.dampening = 0.1;
  settings.nesterov = 1;
  settings.clip_value = 0.25;
  settings.ema_decay = 0.9;
  return settings;
}

UpdateBlock block_of_step(const UpdateSettings& settings, std::int64_t t) {
  UpdateBlock block{};
  block.state.steps = t - 1;
  block.state.loss_scale = 2.0F;
  block.now.lr = 1e-2;
  decide_update(settings, 1.0, 0.0F, 0.0F, block);
  return block;
}

// Compiled here without vector widths or fused multiply-add: the same bits on every processor.
template <class R>
void expect_equal_bits(std::size_t count) {
  SCOPED_TRACE("rule " + std::to_string(static_cast<int>(R::kRule)));
  const UpdateSettings settings = settings_for_test();
  const GroupFactors group{0.5F, 0.05F};
  std::vector<float> p = random_values(count, 1);
  std::vector<float> g = random_values(count, 2);
  std::vector<std::vector<float>> slots;
  for (unsigned k = 0; k < R::kSlots; ++k) slots.push_back(std::vector<float>(count, 0.25F));
  std::vector<float> average = random_values(count, 3);
  std::vector<float> p1 = p;
  std::vector<float> average1 = average;
  std::vector<std::vector<float>> slots1 = slots;
  const UpdateBlock block = block_of_step(settings, 2);
  const auto factors = R::factors(settings, block, group);
  for (std::size_t i = 0; i < count; ++i) {
    float s[kMaxSlots] = {};
    for (std::size_t k = 0; k < slots1.size(); ++k) s[k] = slots1[k][i];
    R::update(factors, p1[i], std::clamp(g[i] * block.factors.grad_factor, -0.25F, 0.25F), s);
    for (std::size_t k = 0; k < slots1.size(); ++k) slots1[k][i] = s[k];
    average1[i] = average1[i] + (p1[i] - average1[i]) * block.factors.ema_weight;
  }
  PassArguments arguments{settings,
                          block,
                          group,
                          p.data(),
                          g.data(),
                          {},
                          average.data(),
                          static_cast<std::int64_t>(count)};
  for (std::size_t k = 0; k < slots.size(); ++k) arguments.slots[k] = slots[k].data();
  update_pass(R::kRule, arguments);
  EXPECT_EQ(p, p1);
  EXPECT_EQ(slots, slots1);
  EXPECT_EQ(average, average1);
  EXPECT_EQ(g, std::vector<float>(count, 0.0F));
}

template <class... R>
void expect_equal_bits_of_all(RuleList<R...> /*rules*/) {
  for (const std::size_t count : {1U, 15U, 16U, 17U, 1000U}) (expect_equal_bits<R>(count), ...);
}

TEST(CpuKernels, TheWidePassEqualsTheElementRuleBitForBit) { expect_equal_bits_of_all(AllRules{}); }

TEST(CpuKernels, RowsAreClippedAdaptivelyThenCentralised) {
  const std::vector<float> p = {3, 4, 0, 0, 0, 0};
  std::vector<float> g = {30, 40, 2, 4, 0.2F, -0.2F};
  // Three rows of two; gradients are scaled by 2.
  row_pass({p.data(), g.data(), 1, 2, 0.5F, 0.1F, false});
  EXPECT_NEAR(g[0], 30.0F * 0.5F / 25.0F, 1e-6);  // |p| 5, |g| 25 after unscaling, at most 0.5
  row_pass({p.data() + 2, g.data() + 2, 1, 2, 0.5F, 0, true});
  EXPECT_EQ(g[2], -1.0F);
  EXPECT_EQ(g[3], 1.0F);
  row_pass({p.data() + 4, g.data() + 4, 1, 2, 0.5F, 1000.0F, true});
  EXPECT_EQ(g[4], 0.2F) << "smaller than 1e-3 x 1000";
}

// Zero gradients of padding keep it zero, whatever the optimizer.
template <class... R>
void expect_zeros_stay(RuleList<R...> /*rules*/) {
  const UpdateSettings settings = settings_for_test();
  const UpdateBlock block = block_of_step(settings, 1);
  const auto check = [&](auto factors, auto update) {
    float p = 0;
    float s[kMaxSlots] = {};
    update(factors, p, 0.0F, s);
    EXPECT_EQ(p, 0.0F);
    for (const float value : s) EXPECT_EQ(value, 0.0F);
  };
  (check(R::factors(settings, block, {1.0F, 0.1F}), R::update), ...);
}

TEST(Rules, LeavePaddingZero) { expect_zeros_stay(AllRules{}); }

}  // namespace
}  // namespace lockstep::optim
