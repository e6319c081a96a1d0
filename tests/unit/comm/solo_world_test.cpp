#include <lockstep/comm/world.h>

#include <gtest/gtest.h>

#include <cstdlib>

namespace lockstep::comm {
namespace {

TEST(SoloWorld, IsOneRank) {
  const auto world = open_solo_world();
  EXPECT_EQ(world->rank(), 0);
  EXPECT_EQ(world->size(), 1);
  EXPECT_EQ(world->local_rank(), 0);
  EXPECT_EQ(world->local_size(), 1);
  EXPECT_EQ(world->description(), "one rank, no MPI");
  EXPECT_EQ(world->control().backend(), "solo");
}

TEST(SoloWorld, MeshHasEveryAxis) {
  const auto world = open_solo_world();
  Mesh mesh = world->open_mesh(Options{}, Device{&gpu::host_backend(), 0}, false);
  for (Group* group : {&mesh.data(), &mesh.tensor(), &mesh.pipeline(), &mesh.expert()}) {
    EXPECT_EQ(group->size(), 1);
  }
}

TEST(SoloWorld, SharedMemoryIsItsOwn) {
  const auto memory = open_solo_world()->allocate_shared(1000);
  EXPECT_EQ(memory->size_bytes(), 1000U);
  EXPECT_EQ(static_cast<const char*>(memory->data())[999], 0);
}

TEST(SoloWorldDeathTest, AbortLeavesWithTheCode) {
  EXPECT_EXIT(open_solo_world()->abort(ExitCode::kDiverged), testing::ExitedWithCode(76), "");
}

}  // namespace
}  // namespace lockstep::comm
