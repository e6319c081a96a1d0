#include <lockstep/models/overflow_probe.h>
#include <lockstep/models/vit.h>

#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace lockstep::models {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

class OverflowProbeTest : public testing::Test {
 protected:
  OverflowProbeTest() {
    Options options;
    options.image_size = 8;
    options.patch_size = 4;
    options.in_channels = 1;
    options.num_classes = 4;
    options.dim = 16;
    options.depth = 3;
    options.heads = 2;
    vit_ = std::make_unique<Vit>(options, 3);
    at::manual_seed(1);
    images_ = at::rand({2, 1, 8, 8});
  }
  std::string first(double factor) {
    OverflowProbe probe;
    at::Tensor loss;
    {
      const OverflowProbe::Scope scope(&probe);
      loss = vit_->forward(images_, {}).sum();
    }
    loss.backward(at::full({}, factor));
    return probe.first();
  }
  void spoil(const std::string& name, float value) {
    const at::NoGradGuard no_grad;
    at::Tensor parameter = vit_->named_parameters()[name];
    parameter.view({-1})[0].fill_(value);
  }

  std::unique_ptr<Vit> vit_;
  at::Tensor images_;
};

TEST_F(OverflowProbeTest, SaysNothingOfAStepThatIsWell) { EXPECT_EQ(first(1), ""); }

TEST_F(OverflowProbeTest, NamesTheInnermostLayerWhoseOutputIsNotFinite) {
  spoil("blocks.1.mlp.fc1.bias", kInf);
  EXPECT_EQ(first(1), "the output of blocks.1.mlp.fc1");
  spoil("blocks.0.attn.proj.bias", std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(first(1), "the output of blocks.0.attn.proj");
}

TEST_F(OverflowProbeTest, NamesWhatBackwardMetFirst) {
  EXPECT_EQ(first(kInf), "the gradient of the output of head");
}

// The weight grows between forward and backward, so that all outputs are finite.
TEST_F(OverflowProbeTest, NamesTheLayerInWhichGradientsOverflow) {
  OverflowProbe probe;
  at::Tensor loss;
  {
    const OverflowProbe::Scope scope(&probe);
    loss = vit_->forward(images_, {}).sum();
  }
  at::Tensor weight = vit_->named_parameters()["blocks.1.mlp.fc2.weight"];
  std::fill_n(weight.mutable_data_ptr<float>(), weight.numel(), 3e38F);
  (loss * 1e4).backward();
  EXPECT_EQ(probe.first(), "the gradient of the output of blocks.1.mlp.fc1");
}

TEST_F(OverflowProbeTest, LooksOnceAtBlocksThatRunAgain) {
  RecomputePlan plan;
  plan.every = 1;
  vit_->set_recompute(plan);
  EXPECT_EQ(first(1), "");
  spoil("blocks.1.mlp.fc1.bias", kInf);
  EXPECT_EQ(first(1), "the output of blocks.1.mlp.fc1");
}

TEST_F(OverflowProbeTest, SeesOnlyItsOwnThreadWhileItIsAsked) {
  OverflowProbe probe;
  spoil("head.bias", kInf);
  vit_->forward(images_, {});
  EXPECT_EQ(probe.first(), "");
  {
    const OverflowProbe::Scope outer(&probe);
    const OverflowProbe::Scope nobody(nullptr);
    vit_->forward(images_, {});
    EXPECT_EQ(OverflowProbe::active(), nullptr);
  }
  EXPECT_EQ(OverflowProbe::active(), nullptr);
  EXPECT_EQ(probe.first(), "");
}

TEST_F(OverflowProbeTest, WatchesAnyTensorByName) {
  OverflowProbe probe;
  const at::Tensor loss = at::rand({}) / 0;
  probe.watch("the loss", loss);
  EXPECT_EQ(probe.first(), "the loss");
}

}  // namespace
}  // namespace lockstep::models
