#include "make_arena.h"

#include <lockstep/base/error.h>
#include <lockstep/optim/optimizer.h>

#include <gmock/gmock.h>

namespace lockstep::optim {
namespace {

Options with_decay(double weight_decay) {
  Options options;
  options.weight_decay = weight_decay;
  return options;
}

TEST(Segments, NormsBiasesTokensAndPositionsDoNotDecay) {
  const auto world = comm::open_solo_world();
  std::vector<NamedParameter> parameters = test::mixed_parameters();
  parameters.push_back(test::random_parameter("cls_token", {1, 1, 8}));
  parameters.push_back(test::random_parameter("norm.weight", {8}));
  const Layout layout = test::layout_of(parameters);
  const Arena arena(*world, parameters, layout, at::kCPU);

  const std::vector<Segment> segments = plan_segments(arena, with_decay(0.1));
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
  const std::vector<Segment> segments = plan_segments(arena, with_decay(0));
  ASSERT_EQ(segments.size(), 1U);
  EXPECT_EQ(segments[0].offset, 0);
  EXPECT_EQ(segments[0].count, 448 + 15);
}

// The four parameters of test::mixed_parameters in arenas of their own factors.
TEST(Segments, FactorsGoByTheLastPatternThatMatches) {
  const auto world = comm::open_solo_world();
  const std::vector<NamedParameter> parameters = test::mixed_parameters();
  const Arena arena(*world, parameters, test::layout_of(parameters), at::kCPU);
  Options options = with_decay(0.5);
  options.lr_factors = "*:3, head.*:0.25, *.bias:2";
  options.decay_factors = "pos_embed:1, block.*:0.5";
  const std::vector<Segment> segments = plan_segments(arena, options);
  ASSERT_EQ(segments.size(), 4U);
  EXPECT_EQ(segments[0].lr_factor, 0.25F);
  EXPECT_EQ(segments[1].lr_factor, 2.0F);
  EXPECT_EQ(segments[2].lr_factor, 3.0F);
  EXPECT_EQ(segments[0].weight_decay, 0.5F);
  EXPECT_EQ(segments[1].weight_decay, 0.0F);
  EXPECT_EQ(segments[2].weight_decay, 0.5F);
  EXPECT_EQ(segments[3].weight_decay, 0.25F);
}

TEST(Segments, APatternThatMatchesNothingIsRefused) {
  const auto world = comm::open_solo_world();
  const std::vector<NamedParameter> parameters = test::mixed_parameters();
  const Arena arena(*world, parameters, test::layout_of(parameters), at::kCPU);
  for (const bool decay : {false, true}) {
    Options options;
    (decay ? options.decay_factors : options.lr_factors) = "hed.weight:2";
    try {
      plan_segments(arena, options);
      FAIL() << "expected an error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kConfig);
      EXPECT_THAT(error.what(), testing::HasSubstr("one near it is head.weight"));
    }
  }
}

// Against timm's param_groups_layer_decay: tests/oracle/optim_oracle.py.
TEST(Segments, LayersBelowTheHeadLearnSlower) {
  const auto world = comm::open_solo_world();
  std::vector<NamedParameter> parameters;
  for (const char* name :
       {"cls_token", "patch_embed.proj.weight", "blocks.0.w", "blocks.1.w", "norm.w", "head.w"}) {
    parameters.push_back(test::random_parameter(name, {32, 1}));
  }
  const Arena arena(*world, parameters, test::layout_of(parameters), at::kCPU);
  Options options;
  options.layer_decay = 0.5;
  std::vector<float> factors;
  for (const Segment& segment : plan_segments(arena, options)) factors.push_back(segment.lr_factor);
  EXPECT_THAT(factors, testing::ElementsAre(0.125F, 0.125F, 0.25F, 0.5F, 1.0F));
}

}  // namespace
}  // namespace lockstep::optim
