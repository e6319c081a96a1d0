// Mean and deviation against sums by hand.
#include "pixel_statistics.h"

#include "data_fixture.h"

namespace lockstep::data {
namespace {

TEST(PixelStatistics, MeanAndDeviationPerChannel) {
  PixelStatistics statistics(3);
  const std::vector<std::byte> pixels{
      std::byte{0}, std::byte{255}, std::byte{10}, std::byte{255}, std::byte{255}, std::byte{20}};
  statistics.add(pixels);
  statistics.add(pixels);
  EXPECT_DOUBLE_EQ(statistics.mean()[0], 0.5);
  EXPECT_DOUBLE_EQ(statistics.mean()[1], 1.0);
  EXPECT_DOUBLE_EQ(statistics.mean()[2], 15.0 / 255);
  EXPECT_DOUBLE_EQ(statistics.deviation()[0], 0.5);
  EXPECT_DOUBLE_EQ(statistics.deviation()[1], 1.0);  // constant: nothing to divide by
  EXPECT_NEAR(statistics.deviation()[2], 5.0 / 255, 1e-12);
}

}  // namespace
}  // namespace lockstep::data
