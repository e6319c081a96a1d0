#include "train/tree_sum.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <vector>

namespace lockstep::train {
namespace {

float sum_of(const std::vector<float>& blocks, TreeSum& tree, at::Tensor& gradients) {
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    gradients.add_(blocks[i]);
    tree.fold(i + 1 == blocks.size());
    if (i + 1 < blocks.size()) {
      EXPECT_EQ(gradients[0].item<float>(), 0);
    }
  }
  return gradients[0].item<float>();
}

// (1e8 + 1) + (-1e8 + 1) is 0 in fp32, one after the other it is 1.
TEST(TreeSum, NeighboursComeFirst) {
  at::Tensor gradients = at::zeros({3});
  TreeSum tree(gradients);
  EXPECT_EQ(sum_of({1e8F, 1, -1e8F, 1}, tree, gradients), 0);
}

TEST(TreeSum, IsUsedAgainStepAfterStep) {
  at::Tensor gradients = at::zeros({3});
  TreeSum tree(gradients);
  for (const std::size_t count : {1, 2, 8, 4, 16}) {
    gradients.zero_();
    EXPECT_EQ(sum_of(std::vector<float>(count, 1), tree, gradients), static_cast<float>(count));
  }
}

TEST(TreeSum, AStepThatWasDroppedLeavesNothing) {
  at::Tensor gradients = at::full({3}, 7.0);
  TreeSum tree(gradients);
  tree.fold(false);
  tree.restart();
  EXPECT_EQ(sum_of({1, 2}, tree, gradients), 3);
}

}  // namespace
}  // namespace lockstep::train
