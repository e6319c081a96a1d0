// The main of tests that run under mpirun (and alone, with a world of one rank).
#include "test_world.h"
#include "verdict_listener.h"

#include <lockstep/base/log.h>

#include <gtest/gtest.h>

#include <iostream>
#include <memory>

namespace lockstep::test {
namespace {

std::unique_ptr<comm::World>& world_slot() {
  static std::unique_ptr<comm::World> slot;
  return slot;
}

}  // namespace

comm::World& world() { return *world_slot(); }

}  // namespace lockstep::test

int main(int argc, char** argv) {
  using namespace lockstep;
  testing::InitGoogleTest(&argc, argv);
  auto& slot = test::world_slot();
  try {
    slot = comm::open_world();
    log::set_rank(slot->rank(), slot->size());
    test::install_verdict_listener(*slot);
    const int code = test::exit_code_of_run(RUN_ALL_TESTS());
    slot.reset();  // before the statics of MPI and of the tests
    return code;
  } catch (const Error& error) {
    // A listener that cannot agree: leave, so that mpirun ends the peers.
    std::cerr << "test main: " << error.what() << '\n';
    if (slot != nullptr) slot->abort(error.code());
    return static_cast<int>(error.code());
  }
}
