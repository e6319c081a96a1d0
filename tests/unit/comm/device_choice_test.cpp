// One rank; more ranks: tests/mpi/world_test.cpp.
#include "comm/device_choice.h"

#include "support/fake_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::comm {
namespace {

TEST(DeviceChoice, CpuNeverAsksTheDriver) {
  const auto world = open_solo_world();
  const DeviceProbe probe{[](std::string*) -> bool { throw internal_error("asked"); },
                          []() -> gpu::Backend& { throw internal_error("opened"); }};
  EXPECT_FALSE(choose_device(*world, "cpu", false, probe).is_cuda());
}

TEST(DeviceChoice, OneRankTakesTheFirstDevice) {
  const auto world = open_solo_world();
  test::FakeBackend backend(4, "GPU-");
  const DeviceProbe probe{[](std::string*) { return true; },
                          [&]() -> gpu::Backend& { return backend; }};
  const Device device = choose_device(*world, "auto", false, probe);
  EXPECT_TRUE(device.is_cuda());
  EXPECT_EQ(device.index, 0);
  EXPECT_EQ(backend.current(), 0);
}

TEST(DeviceChoice, CudaWithoutADeviceSaysWhere) {
  const auto world = open_solo_world();
  const DeviceProbe probe{[](std::string* reason) {
                            *reason = "no NVIDIA driver";
                            return false;
                          },
                          []() -> gpu::Backend& { throw internal_error("opened"); }};
  EXPECT_FALSE(choose_device(*world, "auto", false, probe).is_cuda());
  try {
    choose_device(*world, "cuda", false, probe);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUnavailable);
    EXPECT_THAT(error.what(), testing::HasSubstr("rank 0"));
    EXPECT_THAT(error.what(), testing::HasSubstr("no NVIDIA driver"));
  }
}

}  // namespace
}  // namespace lockstep::comm
