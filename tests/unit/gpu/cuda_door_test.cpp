#include <lockstep/base/error.h>
#include <lockstep/gpu/device.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::gpu {
namespace {

// Opened with RTLD_NOW: a symbol that nothing defines would be an error here, without a GPU.
TEST(CudaDoor, ModuleOpensAndExportsItsEntries) {
  if (!LOCKSTEP_TEST_CUDA_BUILT) GTEST_SKIP() << "built without CUDA";
  for (const char* name : {"lockstep_cuda_backend",
                           "lockstep_open_nccl_group",
                           "lockstep_augment_transform",
                           "lockstep_optim_rows",
                           "lockstep_optim_update"}) {
    EXPECT_NE(cuda_symbol(name), nullptr) << name;
  }
}

TEST(CudaDoor, MissingSymbolIsAnError) {
  if (!LOCKSTEP_TEST_CUDA_BUILT) GTEST_SKIP() << "built without CUDA";
  EXPECT_THROW(cuda_symbol("lockstep_no_such_kernel"), Error);
}

TEST(CudaDoor, BackendWithoutDeviceSaysWhy) {
  std::string reason;
  if (cuda_device_present(&reason)) GTEST_SKIP() << "this machine has a GPU";
  try {
    cuda_backend();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUnavailable);
    EXPECT_EQ(error.what(), reason);
  }
}

}  // namespace
}  // namespace lockstep::gpu
