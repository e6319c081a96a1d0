#include "models/layers.h"

#include "small_model.h"

#include <gtest/gtest.h>

namespace lockstep::models {
namespace {

TEST(Layers, PatchEmbedEqualsAConvolution) {
  for (const std::int64_t channels : {1, 3}) {
    Initializer init(7);
    PatchEmbed embed(channels, 4, 24, init);
    const auto parameters = embed.named_parameters();
    at::manual_seed(1);
    const at::Tensor images = at::randn({3, channels, 20, 20});
    const at::Tensor expected =
        at::conv2d(images, parameters["proj.weight"], parameters["proj.bias"], {4, 4})
            .flatten(2)
            .transpose(1, 2);
    const at::Tensor tokens = embed.forward(images);
    EXPECT_EQ(tokens.sizes(), (at::IntArrayRef{3, 25, 24}));
    EXPECT_LT(max_abs(tokens - expected), 1e-6);
  }
}

TEST(Layers, FirstValuesAreTimms) {
  Initializer init(7);
  const Linear linear(100, 200, init);
  EXPECT_NEAR(linear.named_parameters()["weight"].std().item<double>(), 0.02, 5e-4);
  EXPECT_EQ(max_abs(linear.named_parameters()["bias"]), 0);
  const LayerNorm norm(8);
  EXPECT_TRUE(at::equal(norm.named_parameters()["weight"], at::ones({8})));
  const LayerScale scale(8, 1e-5);
  EXPECT_TRUE(at::equal(scale.named_parameters()["gamma"], at::full({8}, 1e-5F)));
  PatchEmbed embed(3, 4, 64, init);
  EXPECT_LT(max_abs(embed.named_parameters()["proj.weight"]), 1 / std::sqrt(48.0));
  EXPECT_GT(max_abs(embed.named_parameters()["proj.bias"]), 0.05);
}

TEST(Layers, NormUsesTimmsEpsilon) {
  const LayerNorm norm(4);
  const at::Tensor x = at::tensor({1e-3F, -1e-3F, 1e-3F, -1e-3F}).reshape({1, 4});
  EXPECT_NEAR(norm.forward(x)[0][0].item<double>(), 1e-3 / std::sqrt(1e-6 + 1e-6), 1e-5);
}

}  // namespace
}  // namespace lockstep::models
