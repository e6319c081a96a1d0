#include "train/memory_watch.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

namespace lockstep::train {
namespace {

constexpr std::int64_t kBase = 1000;

at::Tensor bytes(std::int64_t count) { return at::empty({count}, at::kByte); }

TEST(MemoryWatch, PeakIsWhatWasLiveAtOnce) {
  MemoryWatch watch(at::kCPU, kBase);
  EXPECT_EQ(watch.peak_bytes(), kBase);
  {
    const at::Tensor kept = bytes(4096);
    { const at::Tensor gone = bytes(8192); }
    const at::Tensor later = bytes(1024);
  }
  EXPECT_EQ(watch.peak_bytes(), kBase + 4096 + 8192);
}

TEST(MemoryWatch, RestartForgetsThePeakButNotWhatIsLive) {
  MemoryWatch watch(at::kCPU, kBase);
  const at::Tensor kept = bytes(512);
  { const at::Tensor gone = bytes(65536); }
  watch.restart();
  EXPECT_EQ(watch.peak_bytes(), kBase + 512);
  const at::Tensor more = bytes(128);
  EXPECT_EQ(watch.peak_bytes(), kBase + 512 + 128);
}

TEST(MemoryWatch, CountsWhatBackwardKeeps) {
  MemoryWatch watch(at::kCPU, 0);
  at::Tensor x = at::ones({1024});
  x.set_requires_grad(true);
  const at::Tensor y = (x * x).sum();
  watch.restart();
  const std::int64_t before = watch.peak_bytes();
  y.backward();
  EXPECT_GE(watch.peak_bytes() - before, 4096);
}

TEST(MemoryWatch, LooksAtOneKindOfDevice) {
  MemoryWatch watch(at::kCUDA, kBase);
  const at::Tensor on_host = bytes(4096);
  EXPECT_EQ(watch.peak_bytes(), kBase);
}

}  // namespace
}  // namespace lockstep::train
