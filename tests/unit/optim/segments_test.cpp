#include "make_arena.h"

#include <lockstep/optim/optimizer.h>

#include <gmock/gmock.h>

namespace lockstep::optim {
namespace {

TEST(Segments, NormsBiasesTokensAndPositionsDoNotDecay) {
  const auto world = comm::open_solo_world();
  std::vector<NamedParameter> parameters = test::mixed_parameters();
  parameters.push_back(test::random_parameter("cls_token", {1, 1, 8}));
  parameters.push_back(test::random_parameter("norm.weight", {8}));
  const Layout layout = test::layout_of(parameters);
  const Arena arena(*world, parameters, layout, at::kCPU);

  const std::vector<Segment> segments = plan_segments(arena, 0.1);
  // head.weight | head.bias + pos_embed | block.weight | cls_token + norm.weight
  ASSERT_EQ(segments.size(), 4U);
  EXPECT_EQ(segments[0].offset, 0);
  EXPECT_EQ(segments[0].count, 7 * 13);
  EXPECT_EQ(segments[1].offset, layout.offset[1]);
  EXPECT_EQ(segments[1].count, layout.offset[2] + 15 - layout.offset[1]);
  EXPECT_EQ(segments[3].offset, layout.offset[4]);
  std::vector<float> decay;
  for (const Segment& segment : segments) decay.push_back(segment.weight_decay);
  EXPECT_THAT(decay, testing::ElementsAre(0.1F, 0.0F, 0.1F, 0.0F));
}

TEST(Segments, OneSegmentWithoutDecayInAnyLayoutOrder) {
  const auto world = comm::open_solo_world();
  const std::vector<NamedParameter> parameters = test::mixed_parameters();
  Layout layout = test::layout_of(parameters);
  // The last parameter first in the arena.
  layout.offset = {256, 384, 448, 0};
  layout.stats_offset = 512;
  layout.total = 512 + kNumStats;
  const Arena arena(*world, parameters, layout, at::kCPU);
  const std::vector<Segment> segments = plan_segments(arena, 0.0);
  ASSERT_EQ(segments.size(), 1U);
  EXPECT_EQ(segments[0].offset, 0);
  EXPECT_EQ(segments[0].count, 448 + 15);
}

}  // namespace
}  // namespace lockstep::optim
