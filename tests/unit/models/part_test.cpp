// Islands of fp32 in a model under autocast.
#include "models/part.h"

#include <lockstep/models/vit.h>

#include <ATen/autocast_mode.h>
#include <ATen/ops/rand.h>
#include <gmock/gmock.h>

namespace lockstep::models {
namespace {

using testing::Contains;

class Bf16Scope {
 public:
  Bf16Scope() {
    at::autocast::increment_nesting();
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, true);
  }
  ~Bf16Scope() {
    at::autocast::set_autocast_enabled(at::kCPU, false);
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  }
};

class PartTest : public testing::Test {
 protected:
  PartTest() {
    Options options;
    options.image_size = 8;
    options.patch_size = 4;
    options.in_channels = 1;
    options.num_classes = 4;
    options.dim = 16;
    options.depth = 2;
    options.heads = 2;
    vit_ = std::make_unique<Vit>(options, 3);
    at::manual_seed(1);
    images_ = at::rand({2, 1, 8, 8});
  }
  at::Tensor under_autocast() {
    const Bf16Scope scope;
    return vit_->forward(images_, {});
  }

  std::unique_ptr<Vit> vit_;
  at::Tensor images_;
};

TEST_F(PartTest, PlacesAreThoseOfTheParameters) {
  EXPECT_THAT(vit_->part_places(), Contains("patch_embed.proj"));
  EXPECT_THAT(vit_->part_places(), Contains("blocks.1"));
  EXPECT_THAT(vit_->part_places(), Contains("blocks.1.attn.qkv"));
  EXPECT_THAT(vit_->part_places(), Contains("head"));
  EXPECT_THAT(vit_->part_places(), testing::Not(Contains("blocks")));
}

TEST_F(PartTest, AllPartsInFp32AreTheModelWithoutAutocast) {
  const at::Tensor plain = vit_->forward(images_, {});
  EXPECT_FALSE(under_autocast().to(at::kFloat).equal(plain));
  vit_->set_fp32([](const std::string&) { return true; });
  EXPECT_TRUE(under_autocast().equal(plain));
  EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
}

TEST_F(PartTest, OnlyTheChosenPartLeavesAutocast) {
  EXPECT_EQ(under_autocast().scalar_type(), at::kBFloat16);
  vit_->set_fp32([](const std::string& place) { return place == "head"; });
  const at::Tensor logits = under_autocast();
  EXPECT_EQ(logits.scalar_type(), at::kFloat);
  EXPECT_FALSE(logits.equal(vit_->forward(images_, {}))) << "the blocks are still in bf16";
  vit_->set_fp32([](const std::string&) { return false; });
  EXPECT_EQ(under_autocast().scalar_type(), at::kBFloat16);
}

TEST_F(PartTest, ABlockTakesItsLayersAlong) {
  vit_->set_fp32([](const std::string& place) { return place == "blocks.0"; });
  const at::Tensor one = under_autocast();
  vit_->set_fp32([](const std::string& place) { return place.starts_with("blocks.0"); });
  EXPECT_TRUE(under_autocast().equal(one));
}

// What a recomputed block does in backward is what it did in forward.
TEST_F(PartTest, RecomputedBlocksKeepTheirIslands) {
  vit_->set_fp32([](const std::string& place) { return place.ends_with("mlp.fc1"); });
  const auto gradients = [this] {
    vit_->zero_grad();
    at::Tensor loss;
    {
      const Bf16Scope scope;
      loss = vit_->forward(images_, {}).to(at::kFloat).square().sum();
    }
    loss.backward();
    std::vector<at::Tensor> all;
    for (const at::Tensor& parameter : vit_->parameters()) all.push_back(parameter.grad().clone());
    return all;
  };
  const std::vector<at::Tensor> plain = gradients();
  RecomputePlan plan;
  plan.every = 1;
  vit_->set_recompute(plan);
  const std::vector<at::Tensor> again = gradients();
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_TRUE(again[i].equal(plain[i])) << i;
}

}  // namespace
}  // namespace lockstep::models
