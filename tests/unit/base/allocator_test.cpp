// The allocator's settings, seen by the page faults of blocks that come and go.
#include <lockstep/base/allocator.h>

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>

#include <cstdlib>
#include <cstring>
#include <memory>

namespace lockstep {
namespace {

constexpr std::size_t kBlock_bytes = std::size_t{24} << 20;

long faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

void touch_and_free() {
  const std::unique_ptr<void, decltype(&std::free)> block(std::malloc(kBlock_bytes), &std::free);
  ASSERT_NE(block, nullptr);
  std::memset(block.get(), 1, kBlock_bytes);
  // Reading through a volatile keeps the memset.
  ASSERT_EQ(static_cast<volatile char*>(block.get())[kBlock_bytes / 2], 1);
}

TEST(Allocator, KeepsTheMemoryOfLargeBlocks) {
  tune_allocator();
  touch_and_free();
  const long before = faults();
  for (int i = 0; i < 4; ++i) touch_and_free();
  EXPECT_LT(faults() - before, 1000) << "24 MiB are 6144 pages";
}

}  // namespace
}  // namespace lockstep
