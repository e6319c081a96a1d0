#include "refusal.h"

#include <lockstep/optim/options.h>

#include <gmock/gmock.h>

namespace lockstep::optim {
namespace {

Options named(const std::string& name) {
  Options options;
  options.name = name;
  return options;
}

TEST(Description, KnowsEveryNameItOffers) {
  for (const std::string& name : optimizer_names()) EXPECT_EQ(describe(named(name)).name, name);
  EXPECT_THAT(optimizer_names(), testing::ElementsAre("adamw", "adam", "sgd", "lion", "adan"));
}

TEST(Description, AnUnknownNameIsRefusedWithTheKnownOnes) {
  expect_refusal(ExitCode::kConfig, "optim.name = sgdd is not known: use one of adamw, adam", [] {
    describe(named("sgdd"));
  });
}

TEST(Description, PlainSgdHasNoState) {
  Options options = named("sgd");
  EXPECT_EQ(describe(options).rule, Rule::kMomentum);
  options.momentum = 0;
  EXPECT_EQ(describe(options).rule, Rule::kSgd);
  EXPECT_TRUE(describe(options).state.empty());
}

TEST(Description, FillsInTheUsualBetas) {
  EXPECT_THAT(betas_of(named("adamw")), testing::ElementsAre(0.9, 0.999, 0));
  Options adan = named("adan");
  adan.beta2 = 0.5;
  EXPECT_THAT(betas_of(adan), testing::ElementsAre(0.98, 0.5, 0.99));
}

TEST(Description, RowsAreNeededByWhatTreatsThemAsAWhole) {
  Options options;
  EXPECT_EQ(need_of(options).granularity, Granularity::kElement);
  options.clip_agc = 0.01;
  EXPECT_EQ(need_of(options).granularity, Granularity::kRow);
  EXPECT_EQ(need_of(options).because, "optim.clip_agc = 0.01");
  options = {};
  options.centralize = true;
  EXPECT_EQ(need_of(options).granularity, Granularity::kRow);
}

TEST(Description, EveryKeyIsAmongTheParticularOnes) {
  for (const std::string& name : optimizer_names()) {
    for (const std::string_view key : describe(named(name)).keys) {
      EXPECT_THAT(particular_keys(), testing::Contains(key)) << name;
    }
  }
}

}  // namespace
}  // namespace lockstep::optim
