#include "models/block.h"

#include "small_model.h"

#include <gtest/gtest.h>

namespace lockstep::models {
namespace {

TEST(Block, AttentionEqualsProductsAndSoftmaxByHand) {
  Initializer init(3);
  Attention attention(16, 2, init);
  const auto parameters = attention.named_parameters();
  at::manual_seed(1);
  const at::Tensor x = at::randn({3, 7, 16});
  const at::Tensor qkv = at::linear(x, parameters["qkv.weight"], parameters["qkv.bias"])
                             .reshape({3, 7, 3, 2, 8})
                             .permute({2, 0, 3, 1, 4});
  const at::Tensor weights =
      at::softmax(at::matmul(qkv[0], qkv[1].transpose(-2, -1)) / std::sqrt(8.0), -1);
  const at::Tensor mixed = at::matmul(weights, qkv[2]).transpose(1, 2).reshape({3, 7, 16});
  const at::Tensor expected = at::linear(mixed, parameters["proj.weight"], parameters["proj.bias"]);
  EXPECT_LT(max_abs(attention.forward(x) - expected), 1e-6);
}

TEST(Block, LayerScaleOfZeroBranchesLeavesTheInput) {
  Options options = small_options();
  options.layer_scale = 1e-5;
  Initializer init(3);
  Block block(options, 1, init);
  {
    const at::NoGradGuard no_grad;
    block.named_parameters()["ls1.gamma"].zero_();
    block.named_parameters()["ls2.gamma"].zero_();
  }
  const at::Tensor x = at::randn({2, 10, 16});
  EXPECT_TRUE(at::equal(block.forward(x, {}, {}), x));
}

TEST(Block, FactorsOfZeroSkipASample) {
  Initializer init(3);
  Block block(small_options(), 1, init);
  const at::Tensor x = at::randn({2, 10, 16});
  const at::Tensor keep = at::tensor({0.F, 1.F, 0.F, 1.F}).reshape({2, 2, 1, 1});
  const at::Tensor out = block.forward(x, {}, keep);
  EXPECT_TRUE(at::equal(out[0], x[0]));
  EXPECT_LT(max_abs(out[1] - block.forward(x, {}, {})[1]), 1e-6);
  EXPECT_GT(max_abs(out[1] - x[1]), 1e-3);
}

}  // namespace
}  // namespace lockstep::models
