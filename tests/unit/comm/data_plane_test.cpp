#include "comm/data_plane.h"

#include "support/fake_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::comm {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Claims = std::vector<DeviceClaim>;

const DeviceClaim kCpu{false, "node1", ""};
const DeviceClaim kGpuA{true, "node1", "GPU-a"};
const DeviceClaim kGpuB{true, "node1", "GPU-b"};
const DeviceClaim kOtherNode{true, "node2", "GPU-a"};

std::string error_of(const std::string& backend, const Claims& claims, bool sharing) {
  try {
    choose_data_plane(backend, claims, sharing);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(DataPlane, CpuRanksUseTheWorldsOwnGroup) {
  EXPECT_EQ(choose_data_plane("auto", {kCpu, kCpu}, false), DataPlane::kHost);
  EXPECT_EQ(choose_data_plane("mpi", {kCpu}, false), DataPlane::kHost);
  EXPECT_THAT(error_of("nccl", {kCpu}, false), HasSubstr("comm.backend is nccl"));
}

TEST(DataPlane, OneGpuRankNeedsNoNcclUnlessAsked) {
  EXPECT_EQ(choose_data_plane("auto", {kGpuA}, false), DataPlane::kSolo);
  EXPECT_EQ(choose_data_plane("nccl", {kGpuA}, false), DataPlane::kNccl);
}

TEST(DataPlane, GpuRanksUseNcclAndMpiWhenAsked) {
  EXPECT_EQ(choose_data_plane("auto", {kGpuA, kGpuB}, false), DataPlane::kNccl);
  EXPECT_EQ(choose_data_plane("auto", {kGpuA, kOtherNode}, false), DataPlane::kNccl)
      << "equal identities on two hosts are two devices";
  EXPECT_EQ(choose_data_plane("mpi", {kGpuA, kGpuB}, false), DataPlane::kStaged);
}

TEST(DataPlane, SharedGpuIsRefusedOrStaged) {
  EXPECT_THAT(
      error_of("auto", {kGpuB, kGpuA, kGpuA}, false),
      AllOf(HasSubstr("ranks 1 and 2 share GPU-a of node1"), HasSubstr("allow_gpu_sharing")));
  EXPECT_EQ(choose_data_plane("auto", {kGpuA, kGpuA}, true), DataPlane::kStaged);
  EXPECT_EQ(choose_data_plane("nccl", {kGpuA, kGpuA}, true), DataPlane::kNcclApart);
  EXPECT_THAT(error_of("nccl", {kGpuA, kGpuA}, false), HasSubstr("allow_gpu_sharing"));
}

TEST(DataPlane, MixedDevicesAreRefused) {
  EXPECT_THAT(error_of("auto", {kGpuA, kCpu}, false),
              AllOf(HasSubstr("rank 0"), HasSubstr("rank 1"), HasSubstr("--run.device")));
}

TEST(DataPlane, OneRankOnADeviceGetsASoloGroup) {
  const auto world = open_solo_world();
  test::FakeBackend backend(1, "GPU-");
  Mesh mesh = world->open_mesh(Options{}, Device{&backend, 0}, false);
  EXPECT_EQ(mesh.data().backend(), "solo");
  EXPECT_EQ(mesh.data().size(), 1);
}

}  // namespace
}  // namespace lockstep::comm
