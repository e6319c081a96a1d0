// The world that tests under mpirun share.
#pragma once

#include <lockstep/comm/world.h>

namespace lockstep::test {

// Opened by the main of lockstep_test_main before the first test.
comm::World& world();

}  // namespace lockstep::test
