// Ranks that do not hold the same are found, and the odd one is named.
#include <lockstep/parallel/digest.h>

#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/test_world.h>

namespace lockstep::parallel {
namespace {

using test::world;
using testing::HasSubstr;

// What is said, and by whom, when `odd` has one bit of the second part flipped.
std::string failure_of(int odd, int* speaker) {
  at::manual_seed(6);
  const at::Tensor first = at::randn({3000});
  const at::Tensor second = at::randn({9000});
  if (world().rank() == odd) static_cast<std::uint32_t*>(second.data_ptr())[8888] ^= 1U;
  try {
    compare_digests(world(), {{"the parameters", {first}}, {"the moments", {second}}}, 150);
    return "";
  } catch (const comm::AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::kDiverged);
    *speaker = error.rank();
    return error.what();
  }
}

TEST(CompareDigests, EqualRanksPass) {
  int speaker = -1;
  EXPECT_EQ(failure_of(-1, &speaker), "");
}

TEST(CompareDigests, TheOddRankIsNamedAmongThreeOrMore) {
  if (world().size() < 3) GTEST_SKIP() << "needs three ranks";
  for (int odd = 0; odd < world().size(); ++odd) {
    int speaker = -1;
    EXPECT_THAT(failure_of(odd, &speaker),
                HasSubstr("the moments of rank " + std::to_string(odd) +
                          " are not those of the other ranks after step 150"));
    EXPECT_EQ(speaker, odd);
  }
}

TEST(CompareDigests, OfTwoRanksNeitherIsBlamed) {
  if (world().size() != 2) GTEST_SKIP() << "needs two ranks";
  int speaker = -1;
  EXPECT_THAT(failure_of(1, &speaker), HasSubstr("the moments of the ranks are not the same"));
}

}  // namespace
}  // namespace lockstep::parallel
