#include <lockstep/base/process.h>
#include <lockstep/comm/world.h>

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace lockstep::comm {
namespace {

// A plain start is one rank and must not pay for MPI.
TEST(OpenWorld, WithoutALauncherLoadsNoMpi) {
  if (started_by_launcher()) GTEST_SKIP() << "started by a launcher";
  const auto world = open_world();
  EXPECT_EQ(world->size(), 1);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    EXPECT_EQ(line.find("libmpi"), std::string::npos) << line;
    EXPECT_EQ(line.find("libmpich"), std::string::npos) << line;
    EXPECT_EQ(line.find("libcuda"), std::string::npos) << line;
  }
}

TEST(Mesh, OtherAxesHaveSizeOne) {
  const auto world = open_solo_world();
  Mesh mesh = world->open_mesh(Options{}, Device{&gpu::host_backend(), 0}, false);
  EXPECT_EQ(mesh.tensor().rank(), 0);
  EXPECT_EQ(mesh.expert().size(), 1);
}

}  // namespace
}  // namespace lockstep::comm
