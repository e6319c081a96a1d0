// The host's loop against LibTorch's operations, which a GPU runs.
#include "parallel/digest_words.h"

#include <lockstep/parallel/digest.h>

#include <ATen/ops/randint.h>
#include <gtest/gtest.h>

namespace lockstep::parallel {
namespace {

TEST(DigestWords, HostAndOperationsGiveTheSameBits) {
  at::manual_seed(2);
  for (const std::int64_t count : {1LL, 5LL, 4096LL, 4097LL, 20'000LL, 8'192LL}) {
    const at::Tensor words =
        at::randint(-(1LL << 31), 1LL << 31, {count}, at::TensorOptions(at::kLong)).to(at::kInt);
    EXPECT_EQ(static_cast<std::uint64_t>(digest_by_ops(words).item<std::int64_t>()),
              digest_of({words}))
        << count;
  }
}

}  // namespace
}  // namespace lockstep::parallel
