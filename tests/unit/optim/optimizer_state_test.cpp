#include "optim/optimizer_state.h"

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

TEST(OptimizerState, NamesMomentsByParameterAndScalars) {
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

TEST(OptimizerState, ARunThatResumesFromItGoesOnBitForBit) {
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

TEST(OwnSegments, AreCutAtTheRangesAndTheirStateLiesTogether) {
  const std::vector<Segment> segments = {{0, 100, 1, 0.5F}, {128, 64, 1, 0}};
  const auto owned = own_segments(segments, {{32, 64}, {96, 160}});
  ASSERT_EQ(owned.size(), 3U);
  EXPECT_EQ(owned[0].segment.offset, 32);
  EXPECT_EQ(owned[0].segment.count, 32);
  EXPECT_EQ(owned[0].segment.weight_decay, 0.5F);
  EXPECT_EQ(owned[0].state, 0);
  EXPECT_EQ(owned[1].segment.offset, 96);
  EXPECT_EQ(owned[1].segment.count, 4);
  EXPECT_EQ(owned[1].state, 32);
  EXPECT_EQ(owned[2].segment.offset, 128);
  EXPECT_EQ(owned[2].segment.count, 32);
  EXPECT_EQ(owned[2].segment.weight_decay, 0);
  EXPECT_EQ(owned[2].state, 64);
}

TEST(OptimizerState, AShardHoldsAndUpdatesItsRangesOnly) {
  Session whole(test::mixed_parameters());
  Session part(copy_of(whole.parameters));
  const at::Tensor before = part.arena->parameters().clone();
  comm::Mesh mesh = part.world->open_mesh({}, {&gpu::host_backend(), 0}, false);
  const std::int64_t total = part.arena->layout().total;
  // The second half of head.weight, pos_embed and a piece of block.weight.
  Shard shard{{{64, 128}, {160, 224}}, &mesh.data(), at::zeros({1}, at::kDouble)};
  PrecisionOptions precision;
  precision.compute = "fp16";
  part.optimizer = make_optimizer(*part.arena, Options{}, precision, 0, shard);
  EXPECT_EQ(part.optimizer->state_bytes(), 128 * 8);
  std::vector<std::string> names;
  for (const NamedParameter& entry : part.optimizer->state()) names.push_back(entry.name);
  EXPECT_THAT(names,
              testing::ElementsAre("exp_avg/head.weight[64:91]",
                                   "exp_avg_sq/head.weight[64:91]",
                                   "exp_avg/head.bias",
                                   "exp_avg_sq/head.bias",
                                   "exp_avg/block.weight[0:64]",
                                   "exp_avg_sq/block.weight[0:64]",
                                   "optim/steps",
                                   "scaler/clean_steps",
                                   "scaler/loss_scale"));
  whole.step(1);
  part.step(1);
  for (std::int64_t i = 0; i < total; i += 32) {
    const bool owned = (i >= 64 && i < 128) || (i >= 160 && i < 224);
    const at::Tensor& expected = owned ? whole.arena->parameters() : before;
    EXPECT_TRUE(at::equal(part.arena->parameters().narrow(0, i, 32), expected.narrow(0, i, 32)))
        << "elements from " << i;
  }
  EXPECT_EQ(part.arena->gradients().abs().sum().item<float>(), 0.0F) << "all are zeroed";
}

}  // namespace
}  // namespace lockstep::optim
