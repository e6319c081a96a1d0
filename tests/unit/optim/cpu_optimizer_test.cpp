#include "make_arena.h"
#include "reference_adamw.h"

#include <lockstep/base/error.h>
#include <lockstep/optim/optimizer.h>

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace lockstep::optim {
namespace {

constexpr std::int64_t kBadFlag = 5;

class CpuOptimizerTest : public testing::Test {
 protected:
  CpuOptimizerTest() {
    at::manual_seed(7);
    parameters_ = test::mixed_parameters();
    arena_ = std::make_unique<Arena>(*world_, parameters_, test::layout_of(parameters_), at::kCPU);
  }

  std::unique_ptr<Optimizer> make() {
    return make_optimizer(*arena_, options_, precision_, kBadFlag);
  }
  // A new gradient for parameter i, put into the arena times `scale`; returned unscaled.
  at::Tensor draw_gradient(std::size_t i, double scale = 1.0) {
    const at::Tensor gradient = at::randn(parameters_[i].tensor.sizes());
    parameters_[i].tensor.mutable_grad().copy_(gradient * scale);
    return gradient;
  }
  void add_norms(Optimizer& optimizer) {
    const Layout& layout = arena_->layout();
    optimizer.add_norm(0, layout.offset[2]);
    optimizer.add_norm(layout.offset[2], layout.total);
  }
  double decay_of(std::size_t i) const { return i == 0 || i == 3 ? options_.weight_decay : 0.0; }

  std::unique_ptr<comm::World> world_ = comm::open_solo_world();
  std::vector<NamedParameter> parameters_;
  std::unique_ptr<Arena> arena_;
  Options options_;
  PrecisionOptions precision_;
};

TEST_F(CpuOptimizerTest, EqualsAdamwInDoubleOverAHundredStepsWithDecayGroups) {
  std::vector<test::ReferenceAdamw> references;
  for (const NamedParameter& p : parameters_) references.emplace_back(p.tensor);
  const auto optimizer = make();
  for (std::int64_t step = 1; step <= 100; ++step) {
    const double lr = 1e-3 * static_cast<double>(step % 7 + 1);
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      references[i].step(draw_gradient(i), lr, decay_of(i));
    }
    add_norms(*optimizer);
    optimizer->update({step, lr});
  }
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const double worst = (references[i].p - parameters_[i].tensor.detach().to(at::kDouble))
                             .abs()
                             .max()
                             .item<double>();
    EXPECT_LT(worst, 1e-6) << parameters_[i].name;
  }
}

TEST_F(CpuOptimizerTest, EqualsTorchsFusedAdamw) {
  const at::NoGradGuard no_grad;
  at::Tensor p = parameters_[0].tensor.detach().clone();
  at::Tensor m = at::zeros_like(p);
  at::Tensor v = at::zeros_like(p);
  const auto optimizer = make();
  for (std::int64_t step = 1; step <= 100; ++step) {
    const at::Tensor gradient = draw_gradient(0);
    at::_fused_adamw_({p},
                      {gradient},
                      {m},
                      {v},
                      {},
                      {at::full({}, static_cast<double>(step))},
                      2e-3,
                      0.9,
                      0.999,
                      options_.weight_decay,
                      options_.eps,
                      false,
                      false);
    optimizer->update({step, 2e-3});
  }
  EXPECT_LT((p - parameters_[0].tensor).abs().max().item<float>(), 1e-6F);
}

TEST_F(CpuOptimizerTest, ZeroesGradientsAndStatsAfterTheUpdate) {
  const auto optimizer = make();
  draw_gradient(0);
  arena_->stats().fill_(3.0).select(0, kBadFlag).zero_();
  add_norms(*optimizer);
  optimizer->update({1, 1e-3});
  EXPECT_FALSE(optimizer->report().skipped);
  EXPECT_EQ(arena_->gradients().abs().sum().item<float>(), 0.0F);
}

TEST_F(CpuOptimizerTest, TheNormLeavesTheStatsOut) {
  const auto optimizer = make();
  parameters_[1].tensor.mutable_grad().fill_(2.0);
  arena_->stats().fill_(1e6).select(0, kBadFlag).zero_();
  add_norms(*optimizer);
  optimizer->update({1, 1e-3});
  EXPECT_NEAR(optimizer->report().grad_norm, std::sqrt(4.0 * 7), 1e-12);
}

TEST_F(CpuOptimizerTest, TakesTheNormItselfWhenNobodyDid) {
  const auto optimizer = make();
  for (int step = 1; step <= 2; ++step) {
    parameters_[1].tensor.mutable_grad().fill_(3.0);
    optimizer->update({step, 1e-3});
    EXPECT_NEAR(optimizer->report().grad_norm, std::sqrt(9.0 * 7), 1e-12);
  }
}

TEST_F(CpuOptimizerTest, ClipsByTheGlobalNorm) {
  options_.clip_norm = 1.0;
  test::ReferenceAdamw first(parameters_[0].tensor);
  test::ReferenceAdamw last(parameters_[3].tensor);
  const auto optimizer = make();
  for (std::int64_t step = 1; step <= 20; ++step) {
    const at::Tensor a = draw_gradient(0);
    const at::Tensor b = draw_gradient(3);
    const double norm = std::sqrt(a.to(at::kDouble).square().sum().item<double>() +
                                  b.to(at::kDouble).square().sum().item<double>());
    first.step(a / (norm + 1e-6), 1e-2, decay_of(0));
    last.step(b / (norm + 1e-6), 1e-2, decay_of(3));
    add_norms(*optimizer);
    optimizer->update({step, 1e-2});
    EXPECT_NEAR(optimizer->report().grad_norm, norm, 1e-4 * norm);
  }
  EXPECT_LT((first.p - parameters_[0].tensor).abs().max().item<double>(), 2e-6);
  EXPECT_LT((last.p - parameters_[3].tensor).abs().max().item<double>(), 2e-6);
}

TEST_F(CpuOptimizerTest, DoesNotClipBelowTheLimit) {
  options_.clip_norm = 1e6;
  test::ReferenceAdamw reference(parameters_[0].tensor);
  const auto optimizer = make();
  reference.step(draw_gradient(0), 1e-2, decay_of(0));
  optimizer->update({1, 1e-2});
  EXPECT_LT((reference.p - parameters_[0].tensor).abs().max().item<double>(), 1e-6);
}

TEST_F(CpuOptimizerTest, ANonFiniteGradientChangesNothing) {
  const auto optimizer = make();
  draw_gradient(0);
  optimizer->update({1, 1e-3});
  for (const float bad :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    const at::Tensor before = arena_->parameters().clone();
    std::vector<at::Tensor> moments;
    for (const NamedParameter& entry : optimizer->state()) moments.push_back(entry.tensor.clone());
    draw_gradient(0);
    parameters_[3].tensor.mutable_grad().select(0, 2).fill_(bad);
    add_norms(*optimizer);
    optimizer->update({2, 1e-3});
    EXPECT_TRUE(optimizer->report().skipped);
    EXPECT_TRUE(at::equal(arena_->parameters(), before));
    EXPECT_EQ(arena_->gradients().abs().sum().item<float>(), 0.0F);
    const std::vector<NamedParameter> state = optimizer->state();
    for (std::size_t i = 0; i < state.size(); ++i) {
      EXPECT_TRUE(at::equal(state[i].tensor, moments[i])) << state[i].name;
    }
  }
}

TEST_F(CpuOptimizerTest, ARaisedBadFlagChangesNothingAndLeavesTheLossScale) {
  precision_.compute = "fp16";
  const auto optimizer = make();
  const at::Tensor before = arena_->parameters().clone();
  draw_gradient(0);
  arena_->stats().select(0, kBadFlag).fill_(1.0);
  add_norms(*optimizer);
  optimizer->update({1, 1e-3});
  EXPECT_TRUE(optimizer->report().skipped);
  EXPECT_TRUE(at::equal(arena_->parameters(), before));
  EXPECT_EQ(optimizer->loss_scale().item<float>(), 65536.0F);
}

TEST_F(CpuOptimizerTest, UnscalesTheGradientsOfAScaledLoss) {
  precision_.compute = "fp16";
  options_.clip_norm = 0;
  test::ReferenceAdamw reference(parameters_[0].tensor);
  const auto optimizer = make();
  for (std::int64_t step = 1; step <= 10; ++step) {
    const double scale = optimizer->loss_scale().item<double>();
    const at::Tensor gradient = draw_gradient(0, scale);
    reference.step(gradient, 1e-3, decay_of(0));
    add_norms(*optimizer);
    optimizer->update({step, 1e-3});
    EXPECT_NEAR(optimizer->report().grad_norm, gradient.norm().item<double>(), 1e-4);
  }
  EXPECT_LT((reference.p - parameters_[0].tensor).abs().max().item<double>(), 1e-6);
}

// What torch's GradScaler(init_scale=65536, growth_interval=3) does on this sequence.
TEST_F(CpuOptimizerTest, TheLossScaleFollowsTorchsGradScaler) {
  precision_.compute = "fp16";
  precision_.scale_growth_steps = 3;
  const auto optimizer = make();
  const std::vector<bool> overflow = {
      true, true, false, false, false, false, true, false, false, false, false, false, false};
  const std::vector<float> expected = {
      32768, 16384, 16384, 16384, 32768, 32768, 16384, 16384, 16384, 32768, 32768, 32768, 65536};
  for (std::size_t step = 0; step < overflow.size(); ++step) {
    draw_gradient(1);
    if (overflow[step]) {
      parameters_[1].tensor.mutable_grad().fill_(std::numeric_limits<float>::infinity());
    }
    optimizer->update({static_cast<std::int64_t>(step) + 1, 1e-3});
    EXPECT_EQ(optimizer->report().skipped, overflow[step]);
    EXPECT_EQ(optimizer->loss_scale().item<float>(), expected[step]) << "step " << step + 1;
  }
}

TEST_F(CpuOptimizerTest, TheLossScaleIsOneWithoutScaling) {
  EXPECT_EQ(make()->loss_scale().item<float>(), 1.0F);
  EXPECT_EQ(make()->loss_scale().dim(), 0);
}

// Against timm and PyTorch: tests/oracle/optim_oracle.py.
TEST_F(CpuOptimizerTest, ClipsByValue) {
  options_.clip_value = 0.3;
  test::ReferenceAdamw reference(parameters_[0].tensor);
  const auto optimizer = make();
  for (std::int64_t step = 1; step <= 10; ++step) {
    reference.step(draw_gradient(0).clamp(-0.3, 0.3), 1e-2, decay_of(0));
    optimizer->update({step, 1e-2});
  }
  EXPECT_LT((reference.p - parameters_[0].tensor).abs().max().item<double>(), 2e-6);
}

TEST_F(CpuOptimizerTest, CentralisesUnscaledGradientsOfMatrices) {
  options_.centralize = true;
  precision_.compute = "fp16";
  test::ReferenceAdamw matrix(parameters_[0].tensor);
  test::ReferenceAdamw vector(parameters_[1].tensor);
  const auto optimizer = make();
  for (std::int64_t step = 1; step <= 10; ++step) {
    const at::Tensor gradient = draw_gradient(0, 65536.0);
    matrix.step(gradient - gradient.mean(1, true), 1e-2, decay_of(0));
    vector.step(draw_gradient(1, 65536.0), 1e-2, 0);
    optimizer->update({step, 1e-2});
  }
  EXPECT_LT((matrix.p - parameters_[0].tensor).abs().max().item<double>(), 2e-6);
  EXPECT_LT((vector.p - parameters_[1].tensor).abs().max().item<double>(), 2e-6);
}

TEST_F(CpuOptimizerTest, AveragesTheWeightsFromTheFirstUpdateOn) {
  options_.ema_decay = 0.8;
  const auto optimizer = make();
  ASSERT_TRUE(optimizer->has_average());
  at::Tensor expected;
  for (std::int64_t step = 1; step <= 10; ++step) {
    draw_gradient(0);
    optimizer->update({step, 1e-2});
    const at::Tensor p = arena_->parameters().to(at::kDouble);
    expected = step == 1 ? p.clone() : expected * 0.8 + p * 0.2;
  }
  const at::Tensor trained = arena_->parameters().clone();
  optimizer->swap_average();
  EXPECT_LT((arena_->parameters() - expected).abs().max().item<double>(), 1e-6);
  EXPECT_GT((arena_->parameters() - trained).abs().max().item<double>(), 1e-4);
  optimizer->swap_average();
  EXPECT_TRUE(at::equal(arena_->parameters(), trained));
}

TEST_F(CpuOptimizerTest, TheAverageStartsAsTheWeightsAndASkippedStepLeavesIt) {
  options_.ema_decay = 0.8;
  const at::Tensor before = arena_->parameters().clone();
  const auto optimizer = make();
  draw_gradient(0).fill_(0);
  parameters_[0].tensor.mutable_grad().fill_(std::numeric_limits<float>::infinity());
  optimizer->update({1, 1e-2});
  optimizer->swap_average();
  EXPECT_TRUE(at::equal(arena_->parameters(), before));
}

// 128 quiet steps, then losses or norms far out; NaN before and between.
class SpikeTest : public CpuOptimizerTest {
 protected:
  static constexpr std::int64_t kLoss = 2;

  UpdateReport step(Optimizer& optimizer, double loss, double gradient) {
    parameters_[1].tensor.mutable_grad().fill_(gradient);
    arena_->stats().select(0, kLoss).fill_(loss * 4);
    optimizer.update({++step_, 1e-3, 4, kLoss});
    return optimizer.report();
  }
  void settle(Optimizer& optimizer) {
    for (int i = 0; i < 128; ++i) {
      const double wave = 0.1 * std::sin(i);
      EXPECT_FALSE(step(optimizer, 2 + wave, 1 + wave).skipped);
      if (i % 40 == 7) {
        const UpdateReport report = step(optimizer, std::nan(""), 1);
        EXPECT_TRUE(report.skipped && !report.spike);
      }
    }
  }
  std::int64_t step_ = 0;
};

TEST_F(SpikeTest, AStepFarAboveTheLastOnesIsSkipped) {
  options_.skip_loss_z = 6;
  const auto optimizer = make();
  settle(*optimizer);
  EXPECT_FALSE(step(*optimizer, 2.3, 50).skipped) << "only the loss is watched";
  const at::Tensor before = arena_->parameters().clone();
  const UpdateReport report = step(*optimizer, 4, 1);
  EXPECT_TRUE(report.skipped && report.spike);
  EXPECT_TRUE(at::equal(arena_->parameters(), before));
  EXPECT_FALSE(step(*optimizer, 1, 1).skipped) << "below is no spike";
}

TEST_F(SpikeTest, TheNormIsWatchedAlike) {
  options_.skip_norm_z = 6;
  const auto optimizer = make();
  settle(*optimizer);
  EXPECT_FALSE(step(*optimizer, 40, 1.1).skipped);
  EXPECT_TRUE(step(*optimizer, 2, 3).spike);
}

TEST_F(SpikeTest, ALastingRiseIsTakenForNewsAfterAWhile) {
  options_.skip_loss_z = 6;
  const auto optimizer = make();
  settle(*optimizer);
  int skipped = 0;
  for (int i = 0; i < 128; ++i) skipped += step(*optimizer, 4 + 0.1 * std::sin(i), 1).spike ? 1 : 0;
  EXPECT_GT(skipped, 0);
  EXPECT_LT(skipped, 20);
}

TEST_F(SpikeTest, ANonFiniteLossIsSkippedWithoutAGuardToo) {
  const auto optimizer = make();
  EXPECT_TRUE(step(*optimizer, std::nan(""), 1).skipped);
  EXPECT_FALSE(step(*optimizer, 1, 1).skipped);
}

}  // namespace
}  // namespace lockstep::optim
