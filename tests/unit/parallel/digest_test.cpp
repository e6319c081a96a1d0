// What a digest sees; how ranks compare it is in tests/mpi/digest_test.cpp.
#include <lockstep/base/random.h>
#include <lockstep/parallel/digest.h>

#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace lockstep::parallel {
namespace {

TEST(Digest, SeesEveryFlippedBit) {
  at::manual_seed(1);
  const at::Tensor values = at::randn({50'000});
  auto* const words = static_cast<std::uint32_t*>(values.data_ptr());
  const std::uint64_t before = digest_of({values});
  PhiloxStream random(4, 1);
  for (int trial = 0; trial < 1000; ++trial) {
    const std::uint64_t place = random.below(50'000);
    const std::uint32_t bit = 1U << random.below(32);
    words[place] ^= bit;
    EXPECT_NE(digest_of({values}), before) << place;
    words[place] ^= bit;
  }
  EXPECT_EQ(digest_of({values}), before);
}

TEST(Digest, TellsTensorsAndRowsApart) {
  const at::Tensor zeros = at::zeros({10'000});
  const at::Tensor first = zeros.clone();
  const at::Tensor last = zeros.clone();
  first[0] = 1;
  last[9'999] = 1;
  EXPECT_NE(digest_of({first}), digest_of({last}));
  EXPECT_NE(digest_of({first, zeros}), digest_of({zeros, first}));
  EXPECT_EQ(digest_of({at::zeros({0})}), 0U);
}

TEST(Digest, OneRankIsAlwaysEqualToItself) {
  const auto world = comm::open_solo_world();
  compare_digests(*world, {{"the parameters", {at::randn({7})}}}, 50);
}

}  // namespace
}  // namespace lockstep::parallel
