#include "make_arena.h"

#include <lockstep/optim/optimizer.h>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

namespace lockstep::optim {
namespace {

struct Session {
  std::unique_ptr<comm::World> world = comm::open_solo_world();
  std::vector<NamedParameter> parameters;
  std::unique_ptr<Arena> arena;
  std::unique_ptr<Optimizer> optimizer;

  explicit Session(std::vector<NamedParameter> from) : parameters(std::move(from)) {
    PrecisionOptions precision;
    precision.compute = "fp16";
    precision.scale_growth_steps = 4;
    arena = std::make_unique<Arena>(*world, parameters, test::layout_of(parameters), at::kCPU);
    optimizer = make_optimizer(*arena, Options{}, precision, 0);
  }
  void step(std::int64_t step) {
    for (NamedParameter& p : parameters) {
      p.tensor.mutable_grad().fill_(0.25 * static_cast<double>(step));
    }
    optimizer->update({step, 1e-2});
  }
};

std::vector<NamedParameter> copy_of(const std::vector<NamedParameter>& parameters) {
  std::vector<NamedParameter> out;
  for (const NamedParameter& p : parameters) {
    out.push_back({p.name, p.tensor.detach().clone().requires_grad_(true)});
  }
  return out;
}

TEST(AdamwState, NamesMomentsByParameterAndScalars) {
  Session run(test::mixed_parameters());
  std::vector<std::string> names;
  for (const NamedParameter& entry : run.optimizer->state()) names.push_back(entry.name);
  EXPECT_THAT(names,
              testing::IsSupersetOf({"exp_avg/head.weight",
                                     "exp_avg_sq/pos_embed",
                                     "optim/steps",
                                     "scaler/clean_steps",
                                     "scaler/loss_scale"}));
  EXPECT_EQ(names.size(), 2 * 4 + 3U);
}

TEST(AdamwState, ARunThatResumesFromItGoesOnBitForBit) {
  Session straight(test::mixed_parameters());
  for (std::int64_t step = 1; step <= 5; ++step) straight.step(step);

  Session resumed(copy_of(straight.parameters));
  const std::vector<NamedParameter> from = straight.optimizer->state();
  const std::vector<NamedParameter> to = resumed.optimizer->state();
  for (std::size_t i = 0; i < from.size(); ++i) {
    EXPECT_EQ(from[i].name, to[i].name);
    at::Tensor target = to[i].tensor;
    target.copy_(from[i].tensor);
  }
  for (std::int64_t step = 6; step <= 9; ++step) {
    straight.step(step);
    resumed.step(step);
  }
  EXPECT_TRUE(at::equal(straight.arena->parameters(), resumed.arena->parameters()));
  EXPECT_EQ(straight.optimizer->loss_scale().item<float>(),
            resumed.optimizer->loss_scale().item<float>());
  EXPECT_EQ(resumed.optimizer->loss_scale().item<float>(), 4 * 65536.0F);
}

}  // namespace
}  // namespace lockstep::optim
