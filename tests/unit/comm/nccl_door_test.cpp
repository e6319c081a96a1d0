#include "comm/nccl_door.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace lockstep::comm {
namespace {

// The entry itself is opened by unit_gpu (symbols) and tests/gpu (a device).
TEST(NcclDoor, TheNameIsTheOneThatTheModuleExports) {
  EXPECT_STREQ(kNcclEntry, "lockstep_open_nccl_group");
  EXPECT_TRUE(
      (std::is_invocable_r_v<Group*, OpenNcclFunction, World&, const Device&, const Options&>));
}

}  // namespace
}  // namespace lockstep::comm
