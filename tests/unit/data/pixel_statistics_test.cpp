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

TEST(PixelStatistics, PartsAddUpAndNothingIsHalf) {
  PixelStatistics whole(1);
  PixelStatistics part(1);
  EXPECT_EQ(whole.mean(), std::vector<double>{0.5});
  EXPECT_EQ(whole.deviation(), std::vector<double>{0.5});
  part.add(std::vector<std::byte>{std::byte{0}, std::byte{255}});
  whole.add(part);
  whole.add(part);
  EXPECT_DOUBLE_EQ(whole.mean()[0], 0.5);
  EXPECT_DOUBLE_EQ(whole.deviation()[0], 0.5);
}

}  // namespace
}  // namespace lockstep::data
