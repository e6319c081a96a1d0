#include <lockstep/models/flops.h>

#include <gtest/gtest.h>

namespace lockstep::models {
namespace {

// 17.56 G multiply-adds: ViT-B/16's published figure (fvcore counts the same products).
TEST(Flops, VitBase16) { EXPECT_NEAR(vit_flops(Options{}) / 2e9, 17.56, 0.02); }

TEST(Flops, ByHandForATinyModel) {
  Options options;
  options.image_size = 4;
  options.patch_size = 2;
  options.in_channels = 1;
  options.num_classes = 3;
  options.dim = 2;
  options.depth = 1;
  options.heads = 1;
  // 4 patches of 4 values to 2; 5 tokens: 4 D^2 + 2 D 4D each; scores and mix 2 N^2 D; head 2 x 3.
  EXPECT_EQ(vit_flops(options), 2 * (4 * 4 * 2 + 5 * (16 + 32) + 2 * 25 * 2 + 6));
}

}  // namespace
}  // namespace lockstep::models
