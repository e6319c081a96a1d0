#include "comm/slices.h"

#include <gtest/gtest.h>

namespace lockstep::comm {
namespace {

TEST(Slices, CoverEverythingOnceAndStartAligned) {
  for (const std::size_t count : {0, 1, 127, 128, 129, 1000, 4096, 100'001}) {
    for (const int ranks : {1, 2, 3, 4, 7}) {
      const Slices slices = aligned_slices(count, ranks);
      std::size_t end = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        EXPECT_EQ(slices.begin(rank), end);
        EXPECT_TRUE(slices.size(rank) == 0 || slices.begin(rank) % 128 == 0);
        end += slices.size(rank);
      }
      EXPECT_EQ(end, count) << ranks;
    }
  }
}

TEST(Slices, AreEqualButForTheLast) {
  const Slices slices = aligned_slices(1024, 3);
  EXPECT_EQ(slices.size(0), 384U);
  EXPECT_EQ(slices.size(1), 384U);
  EXPECT_EQ(slices.size(2), 256U);
}

}  // namespace
}  // namespace lockstep::comm
