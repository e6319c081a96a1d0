// The device's optimizers against its host twin: same parameters, same gradients, same decisions.
#include "../unit/optim/make_arena.h"

#include <lockstep/gpu/device.h>
#include <lockstep/optim/optimizer.h>

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lockstep::optim {
namespace {

constexpr std::int64_t kBadFlag = 1;

class OptimizerTwinTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string reason;
    if (!gpu::cuda_device_present(&reason)) GTEST_SKIP() << reason;
    // Before anything asks LibTorch for CUDA: it looks for its CUDA side once.
    gpu::cuda_backend().set_device(0);
    at::manual_seed(7);
    host_parameters_ = test::mixed_parameters();
    // More elements than one sweep of the norm's grid.
    host_parameters_.push_back(test::random_parameter("large.weight", {1237, 1301}));
    for (const NamedParameter& p : host_parameters_) {
      device_parameters_.push_back({p.name, p.tensor.detach().clone().requires_grad_(true)});
    }
    const Layout layout = test::layout_of(host_parameters_);
    host_ = std::make_unique<Arena>(*world_, host_parameters_, layout, at::kCPU);
    device_ =
        std::make_unique<Arena>(*world_, device_parameters_, layout, at::Device(at::kCUDA, 0));
  }

  void make(const Options& options, const PrecisionOptions& precision) {
    host_optimizer_ = make_optimizer(*host_, options, precision, kBadFlag);
    device_optimizer_ = make_optimizer(*device_, options, precision, kBadFlag);
  }
  void draw_gradients(double scale) {
    for (const NamedParameter& p : host_parameters_) {
      at::Tensor gradient = p.tensor.grad();
      gradient.copy_(at::randn(p.tensor.sizes()) * scale);
    }
  }
  void update_both(std::int64_t step, double lr) {
    device_->gradients().copy_(host_->gradients());
    for (Optimizer* optimizer : {host_optimizer_.get(), device_optimizer_.get()}) {
      optimizer->add_norm(0, host_->layout().offset[2]);
      optimizer->add_norm(host_->layout().offset[2], host_->layout().total);
      optimizer->update({step, lr});
    }
  }
  void expect_equal_reports(std::int64_t step) {
    gpu::Backend& backend = gpu::cuda_backend();
    backend.synchronize(backend.compute_stream());
    const UpdateReport expected = host_optimizer_->report();
    const UpdateReport actual = device_optimizer_->report();
    EXPECT_EQ(actual.skipped, expected.skipped) << "step " << step;
    EXPECT_EQ(actual.loss_scale, expected.loss_scale) << "step " << step;
    if (std::isfinite(expected.grad_norm)) {
      EXPECT_NEAR(actual.grad_norm, expected.grad_norm, 1e-9 * expected.grad_norm);
    } else {
      EXPECT_FALSE(std::isfinite(actual.grad_norm));
    }
    EXPECT_EQ(device_->gradients().abs().sum().item<float>(), 0.0F) << "step " << step;
  }
  double worst_difference() {
    return (device_->parameters().cpu() - host_->parameters()).abs().max().item<double>();
  }

  std::unique_ptr<comm::World> world_ = comm::open_solo_world();
  std::vector<NamedParameter> host_parameters_;
  std::vector<NamedParameter> device_parameters_;
  std::unique_ptr<Arena> host_;
  std::unique_ptr<Arena> device_;
  std::unique_ptr<Optimizer> host_optimizer_;
  std::unique_ptr<Optimizer> device_optimizer_;
};

TEST_F(OptimizerTwinTest, EqualOverAHundredStepsWithClipping) {
  Options options;
  options.clip_norm = 1.0;
  make(options, {});
  for (std::int64_t step = 1; step <= 100; ++step) {
    draw_gradients(step % 3 == 0 ? 1e-4 : 1.0);
    update_both(step, 1e-3);
    expect_equal_reports(step);
  }
  EXPECT_LT(worst_difference(), 1e-6);
}

TEST_F(OptimizerTwinTest, EveryRuleEqualsItsHostTwin) {
  for (const std::string& name : optimizer_names()) {
    for (const double momentum : {0.9, 0.0}) {
      if (momentum == 0 && name != "sgd") continue;
      Options options;
      options.name = name;
      options.momentum = momentum;
      make(options, {});
      for (std::int64_t step = 1; step <= 20; ++step) {
        draw_gradients(1.0);
        update_both(step, 1e-4);
        expect_equal_reports(step);
      }
      EXPECT_LT(worst_difference(), 1e-6) << name;
    }
  }
}

TEST_F(OptimizerTwinTest, EqualWithRowsValuesAndAnAverage) {
  for (const double clip_value : {0.0, 0.5}) {
    Options options;
    options.clip_value = clip_value;
    options.clip_agc = clip_value == 0 ? 0.01 : 0;
    options.centralize = true;
    options.ema_decay = 0.9;
    make(options, {});
    for (std::int64_t step = 1; step <= 20; ++step) {
      draw_gradients(1.0);
      update_both(step, 1e-3);
      expect_equal_reports(step);
    }
    EXPECT_LT(worst_difference(), 2e-6);
    host_optimizer_->swap_average();
    device_optimizer_->swap_average();
    EXPECT_LT(worst_difference(), 2e-6);
  }
}

TEST_F(OptimizerTwinTest, EqualDecisionsOnOverflowsAndBadFlags) {
  PrecisionOptions precision;
  precision.compute = "fp16";
  precision.scale_growth_steps = 5;
  make({}, precision);
  for (std::int64_t step = 1; step <= 40; ++step) {
    draw_gradients(host_optimizer_->loss_scale().item<double>());
    if (step % 9 == 0) {
      at::Tensor gradient = host_parameters_[4].tensor.grad();
      gradient[1000][step] = step % 2 == 0 ? std::numeric_limits<float>::infinity()
                                           : std::numeric_limits<float>::quiet_NaN();
    }
    if (step % 11 == 0) host_->stats().select(0, kBadFlag).fill_(1.0);
    update_both(step, 1e-3);
    expect_equal_reports(step);
    EXPECT_EQ(device_optimizer_->loss_scale().item<float>(),
              host_optimizer_->loss_scale().item<float>());
  }
  EXPECT_LT(worst_difference(), 1e-6);
}

// A shard's moments lie elsewhere than its parameters; the norm comes back through the group.
TEST_F(OptimizerTwinTest, EqualOnAShard) {
  comm::Mesh host = world_->open_mesh({}, {&gpu::host_backend(), 0}, false);
  comm::Mesh device = world_->open_mesh({}, {&gpu::cuda_backend(), 0}, false);
  Options options;
  options.clip_norm = 1.0;
  const auto make_shard = [&](comm::Mesh& mesh, const Arena& arena) {
    const at::TensorOptions type(at::kDouble);
    return Shard{
        {{64, 128}, {160, 4096 + 320}}, &mesh.data(), at::zeros({1}, type.device(arena.device()))};
  };
  host_optimizer_ = make_optimizer(*host_, options, {}, kBadFlag, make_shard(host, *host_));
  device_optimizer_ = make_optimizer(*device_, options, {}, kBadFlag, make_shard(device, *device_));
  const at::Tensor before = host_->parameters().clone();
  for (std::int64_t step = 1; step <= 20; ++step) {
    draw_gradients(1.0);
    device_->gradients().copy_(host_->gradients());
    host_optimizer_->update({step, 1e-3});
    device_optimizer_->update({step, 1e-3});
    expect_equal_reports(step);
  }
  EXPECT_LT(worst_difference(), 1e-6);
  EXPECT_TRUE(before.narrow(0, 0, 64).equal(device_->parameters().narrow(0, 0, 64).cpu()));
}

TEST_F(OptimizerTwinTest, TheSameGradientsGiveTheSameBitsTwice) {
  make({}, {});
  draw_gradients(1.0);
  update_both(1, 1e-3);
  const at::Tensor first = device_->parameters().clone();
  const double norm = (expect_equal_reports(1), device_optimizer_->report().grad_norm);

  at::manual_seed(7);
  for (std::size_t i = 0; i < host_parameters_.size(); ++i) {
    const at::Tensor again = at::randn(host_parameters_[i].tensor.sizes()) * 0.2;
    device_parameters_[i].tensor.detach().copy_(again);
    host_parameters_[i].tensor.detach().copy_(again);
  }
  make({}, {});
  draw_gradients(1.0);
  update_both(1, 1e-3);
  EXPECT_TRUE(first.equal(device_->parameters()));
  expect_equal_reports(1);
  EXPECT_EQ(device_optimizer_->report().grad_norm, norm);
}

TEST_F(OptimizerTwinTest, ManyUpdatesWithoutAnyWaitKeepTheirOrder) {
  make({}, {});
  for (std::int64_t step = 1; step <= 20; ++step) {
    draw_gradients(1.0);
    update_both(step, 1e-4 * static_cast<double>(step));
  }
  expect_equal_reports(20);
  EXPECT_LT(worst_difference(), 1e-6);
}

}  // namespace
}  // namespace lockstep::optim
