#include "train/memory_limit.h"

#include <lockstep/base/error.h>

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace lockstep::train {
namespace {

at::Tensor bytes(std::int64_t count) { return at::empty({count}, at::kByte); }

TEST(MemoryLimit, RefusesWhatDoesNotFitAndCountsWhatWasFreed) {
  const MemoryWatch watch(at::kCPU, 1000);
  const MemoryLimit limit(watch, 1000 + 8192);
  at::Tensor first = bytes(4096);
  { const at::Tensor second = bytes(4096); }
  try {
    bytes(4097);
    ADD_FAILURE() << "more than the limit was handed out";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kOutOfMemory);
    EXPECT_NE(std::string(error.what()).find("memory.limit_mib"), std::string::npos);
  }
  first.reset();
  EXPECT_NO_THROW(bytes(8192));
  std::thread([] { EXPECT_NO_THROW(bytes(65536)) << "another thread's"; }).join();
}

TEST(MemoryLimit, EndsWithItsScopeAndZeroIsNone) {
  const MemoryWatch watch(at::kCPU, 0);
  { const MemoryLimit limit(watch, 10); }
  EXPECT_NO_THROW(bytes(4096));
  const MemoryLimit none(watch, 0);
  EXPECT_NO_THROW(bytes(4096));
}

}  // namespace
}  // namespace lockstep::train
