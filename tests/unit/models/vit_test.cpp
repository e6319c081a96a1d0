#include "small_model.h"

#include <lockstep/base/error.h>
#include <lockstep/models/vit.h>

#include <ATen/ATen.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace lockstep::models {
namespace {

std::vector<std::string> names_of(const Vit& model) {
  std::vector<std::string> names;
  for (const auto& item : model.named_parameters()) names.push_back(item.key());
  return names;
}

// What timm 1.0.22 prints for VisionTransformer(depth=1, init_values=1e-5).state_dict().
const std::vector<std::string> kTimmNames{
    "cls_token",
    "pos_embed",
    "patch_embed.proj.weight",
    "patch_embed.proj.bias",
    "blocks.0.norm1.weight",
    "blocks.0.norm1.bias",
    "blocks.0.attn.qkv.weight",
    "blocks.0.attn.qkv.bias",
    "blocks.0.attn.proj.weight",
    "blocks.0.attn.proj.bias",
    "blocks.0.ls1.gamma",
    "blocks.0.norm2.weight",
    "blocks.0.norm2.bias",
    "blocks.0.mlp.fc1.weight",
    "blocks.0.mlp.fc1.bias",
    "blocks.0.mlp.fc2.weight",
    "blocks.0.mlp.fc2.bias",
    "blocks.0.ls2.gamma",
    "norm.weight",
    "norm.bias",
    "head.weight",
    "head.bias",
};

TEST(Vit, NamesAndOrderAreTimms) {
  Options options = small_options();
  options.depth = 1;
  options.layer_scale = 1e-5;
  EXPECT_EQ(names_of(Vit(options, 1)), kTimmNames);
  options.pool = "avg";
  std::vector<std::string> averaged = kTimmNames;
  averaged[18] = "fc_norm.weight";
  averaged[19] = "fc_norm.bias";
  EXPECT_EQ(names_of(Vit(options, 1)), averaged);
}

TEST(Vit, Base16HasThePublishedNumberOfParameters) {
  const Vit model(Options{}, 1);
  std::int64_t count = 0;
  for (const at::Tensor& parameter : model.parameters()) count += parameter.numel();
  EXPECT_EQ(count, 86567656);
  EXPECT_EQ(model.parameters().size(), 152U);
}

TEST(Vit, LogitsHaveTheirShapeForEverySize) {
  for (const auto& [size, patch, channels] : {std::tuple{28, 4, 1}, {35, 7, 3}, {16, 16, 3}}) {
    Options options = small_options();
    options.image_size = size;
    options.patch_size = patch;
    options.in_channels = channels;
    for (const char* pool : {"token", "avg"}) {
      options.pool = pool;
      Vit model(options, 1);
      EXPECT_EQ(model.forward(images_for(options, 3), {}).sizes(), (at::IntArrayRef{3, 5}));
    }
  }
}

TEST(Vit, ImagesOfAnotherShapeAndWrongOptionsAreRefused) {
  Options options = small_options();
  Vit model(options, 1);
  EXPECT_THROW(model.forward(at::randn({2, 3, 12, 12}), {}), Error);
  EXPECT_THROW(model.forward(at::randn({2, 1, 16, 16}), {}), Error);
  options.heads = 3;
  EXPECT_THROW(Vit(options, 1), Error);
}

TEST(Vit, EveryParameterHasAGradient) {
  for (const char* pool : {"token", "avg"}) {
    Options options = small_options();
    options.pool = pool;
    options.layer_scale = 0.1;
    options.dropout = 0.1;
    options.drop_path = 0.1;
    Vit model(options, 1);
    model.train();
    const ForwardContext context{1, 0, at::arange(6)};
    model.forward(images_for(options, 6), context).pow(2).sum().backward();
    for (const auto& item : model.named_parameters()) {
      ASSERT_TRUE(item.value().grad().defined()) << item.key();
      EXPECT_GT(max_abs(item.value().grad()), 0) << item.key();
    }
  }
}

TEST(Vit, TheSeedAloneDecidesTheWeights) {
  const auto a = Vit(small_options(), 5).parameters();
  const auto b = Vit(small_options(), 5).parameters();
  const auto c = Vit(small_options(), 6).parameters();
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(at::equal(a[i], b[i]));
  EXPECT_FALSE(at::equal(a[0], c[0]));
}

// 1 batch of 6 against micro-batches of 2 in another order: the same sample gives the same logits.
TEST(Vit, RandomPartsDoNotDependOnTheBatch) {
  Options options = small_options();
  options.dropout = 0.2;
  options.drop_path = 0.5;
  Vit model(options, 1);
  model.train();
  const at::Tensor images = images_for(options, 6);
  const at::Tensor ids = at::tensor(std::vector<std::int64_t>{60, 10, 50, 20, 40, 30});
  const at::Tensor whole = model.forward(images, {9, 4, ids});
  for (const std::int64_t at : {4, 0, 2}) {
    const at::Tensor part = model.forward(images.narrow(0, at, 2), {9, 4, ids.narrow(0, at, 2)});
    EXPECT_LT(max_abs(part - whole.narrow(0, at, 2)), 1e-5);
  }
  EXPECT_GT(max_abs(model.forward(images, {9, 5, ids}) - whole), 1e-3);
  EXPECT_THROW(model.forward(images, {}), Error);
  model.eval();
  EXPECT_TRUE(at::equal(model.forward(images, {}), model.forward(images, {9, 4, ids})));
}

std::vector<at::Tensor> gradients(const Options& options, const std::string& recompute) {
  Vit model(options, 1);
  model.train();
  model.set_recompute(parse_recompute(recompute));
  const at::Tensor ids = at::arange(4);
  const at::Tensor logits = model.forward(images_for(options, 4), {9, 4, ids});
  logits.square().sum().backward();
  std::vector<at::Tensor> out{logits.detach()};
  for (const at::Tensor& parameter : model.parameters()) out.push_back(parameter.grad());
  return out;
}

TEST(Vit, RecomputedPartsGiveTheSameBits) {
  Options options = small_options();
  options.depth = 5;
  options.dropout = 0.2;
  options.drop_path = 0.3;
  options.layer_scale = 0.5;
  const std::vector<at::Tensor> plain = gradients(options, "none");
  for (const char* recompute : {"every:1",
                                "every:2",
                                "every:3",
                                "every:4",
                                "selective:gelu",
                                "selective:mlp",
                                "selective:attention",
                                "selective:attention,mlp",
                                "selective:attention,gelu"}) {
    const std::vector<at::Tensor> found = gradients(options, recompute);
    for (std::size_t i = 0; i < plain.size(); ++i) {
      EXPECT_TRUE(found[i].equal(plain[i])) << recompute << ", tensor " << i;
    }
  }
}

// Live bytes after forward: what backward needs.
TEST(Vit, RecomputedPartsHoldLess) {
  class Counter final : public c10::MemoryReportingInfoBase {
   public:
    void reportMemoryUsage(
        void* /*block*/, std::int64_t bytes, std::size_t, std::size_t, c10::Device) override {
      live += bytes;
    }
    bool memoryProfilingEnabled() const override { return true; }
    std::int64_t live = 0;
  };
  Options options = small_options();
  options.depth = 8;
  Vit model(options, 1);
  const at::Tensor images = images_for(options, 8);
  const auto held_by = [&](const std::string& recompute) {
    model.set_recompute(parse_recompute(recompute));
    const auto counter = std::make_shared<Counter>();
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, counter);
    const at::Tensor logits = model.forward(images, {});
    return static_cast<double>(counter->live);
  };
  const double all = held_by("none");
  // Tensors of one block, in units of its input: 17 when plain; see docs/memory.md.
  EXPECT_LT(held_by("every:1"), 0.25 * all);
  EXPECT_LT(held_by("every:2"), 0.35 * all);
  EXPECT_LT(held_by("selective:attention,mlp"), 0.3 * all);
  EXPECT_LT(held_by("selective:mlp"), 0.6 * all);
  EXPECT_LT(held_by("selective:attention"), 0.8 * all);
  EXPECT_LT(held_by("selective:gelu"), 0.85 * all);
}

TEST(Vit, GroupsThatLeaveNothingToRecomputeAreRefused) {
  Vit model(small_options(), 1);
  EXPECT_THROW(model.set_recompute(parse_recompute("every:3")), Error);
}

}  // namespace
}  // namespace lockstep::models
