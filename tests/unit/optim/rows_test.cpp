#include "optim/rows.h"

#include "make_arena.h"

#include <gmock/gmock.h>

namespace lockstep::optim {
namespace {

class RowsTest : public testing::Test {
 protected:
  std::vector<RowBlock> plan() { return plan_rows(arena_, options_); }

  std::unique_ptr<comm::World> world_ = comm::open_solo_world();
  std::vector<NamedParameter> parameters_ = test::mixed_parameters();
  Arena arena_{*world_, parameters_, test::layout_of(parameters_), at::kCPU};
  Options options_;
};

TEST_F(RowsTest, NobodyAsksForThem) { EXPECT_TRUE(plan().empty()); }

TEST_F(RowsTest, AdaptiveClippingLeavesTheHeadOutAndTakesVectorsWhole) {
  parameters_.push_back(test::random_parameter("norm.weight", {9}));
  const Arena arena(*world_, parameters_, test::layout_of(parameters_), at::kCPU);
  options_.clip_agc = 0.01;
  const std::vector<RowBlock> blocks = plan_rows(arena, options_);
  ASSERT_EQ(blocks.size(), 3U);  // pos_embed, block.weight, norm.weight
  EXPECT_EQ(blocks[1].offset, arena.layout().offset[3]);
  EXPECT_EQ(blocks[1].rows, 33);
  EXPECT_EQ(blocks[1].length, 5);
  EXPECT_EQ(blocks[1].clip, 0.01F);
  EXPECT_EQ(blocks[2].rows, 1);
  EXPECT_EQ(blocks[2].length, 9);
}

TEST_F(RowsTest, CentralisationTakesMatrices) {
  options_.centralize = true;
  const std::vector<RowBlock> blocks = plan();
  ASSERT_EQ(blocks.size(), 3U);  // all but head.bias
  EXPECT_EQ(blocks[0].rows, 7);
  EXPECT_EQ(blocks[0].clip, 0.0F);
  EXPECT_EQ(blocks[0].centralise, 1);
}

}  // namespace
}  // namespace lockstep::optim
