// One rank always agrees with itself; differences are in tests/mpi/world_test.cpp.
#include <lockstep/comm/world.h>

#include <gtest/gtest.h>

namespace lockstep::comm {
namespace {

TEST(AgreeOn, OneRankAgrees) {
  const auto world = open_solo_world();
  agree_on(*world, {{"optim.lr", "0.001"}, {"", ""}});
  agree_on(*world, {});
}

}  // namespace
}  // namespace lockstep::comm
