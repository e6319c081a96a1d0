// The allocator's settings, seen by the page faults of blocks that come and go.
#include <lockstep/base/allocator.h>

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

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

// Where the system grants them by request, the mapping says so.
TEST(PreferHugePages, LeavesMemoryUsableAndSmallPiecesAlone) {
  std::vector<char> small(100);
  prefer_huge_pages(small.data(), small.size());
  constexpr std::size_t kBytes = std::size_t{16} << 20;
  const std::unique_ptr<char, decltype(&std::free)> data(
      static_cast<char*>(std::aligned_alloc(128, kBytes)), &std::free);
  prefer_huge_pages(data.get(), kBytes);
  std::memset(data.get(), 7, kBytes);
  EXPECT_EQ(data.get()[kBytes - 1], 7);
  std::ifstream enabled("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string modes;
  std::getline(enabled, modes);
  if (modes.find("[madvise]") == std::string::npos) GTEST_SKIP() << "not by request: " << modes;
  std::ifstream maps("/proc/self/smaps");
  const std::string text{std::istreambuf_iterator<char>(maps), {}};
  EXPECT_NE(text.find(" hg"), std::string::npos) << "no mapping is marked for huge pages";
}

}  // namespace
}  // namespace lockstep
