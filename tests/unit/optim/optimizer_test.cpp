#include "make_arena.h"

#include <lockstep/base/error.h>
#include <lockstep/optim/optimizer.h>

#include <gmock/gmock.h>

namespace lockstep::optim {
namespace {

TEST(Optimizer, RefusesUnknownNames) {
  const auto world = comm::open_solo_world();
  const std::vector<NamedParameter> parameters = test::mixed_parameters();
  Arena arena(*world, parameters, test::layout_of(parameters), at::kCPU);
  Options options;
  options.name = "adamx";
  try {
    make_optimizer(arena, options, {}, -1);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kConfig);
    EXPECT_THAT(error.what(), testing::HasSubstr("adamx"));
  }
}

TEST(Optimizer, WorksWithoutABadFlag) {
  const auto world = comm::open_solo_world();
  const std::vector<NamedParameter> parameters = test::mixed_parameters();
  Arena arena(*world, parameters, test::layout_of(parameters), at::kCPU);
  const auto optimizer = make_optimizer(arena, {}, {}, -1);
  arena.stats().fill_(1.0);
  optimizer->update({1, 1e-3});
  EXPECT_FALSE(optimizer->report().skipped);
}

}  // namespace
}  // namespace lockstep::optim
