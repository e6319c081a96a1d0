#include <lockstep/gpu/device.h>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::gpu {
namespace {

TEST(CudaPresence, ReasonIsThereExactlyWhenTheDeviceIsNot) {
  std::string reason = "untouched";
  const bool present = cuda_device_present(&reason);
  EXPECT_EQ(present, reason.empty()) << reason;
  EXPECT_EQ(cuda_device_present(nullptr), present);
}

TEST(CudaPresence, WithoutADriverNamesTheLibraryAndTheWayOut) {
  if (dlopen("libcuda.so.1", RTLD_LAZY) != nullptr) GTEST_SKIP() << "a driver is installed";
  std::string reason;
  EXPECT_FALSE(cuda_device_present(&reason));
  EXPECT_THAT(reason, testing::HasSubstr("libcuda.so.1"));
  EXPECT_THAT(reason, testing::HasSubstr("--run.device cpu"));
  EXPECT_EQ(reason.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace lockstep::gpu
