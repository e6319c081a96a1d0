// Geometry and boxes of detection, against boxes moved by hand.
#include <lockstep/data/detection_plan.h>

#include <gmock/gmock.h>

#include <algorithm>
#include <array>

namespace lockstep::data {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SizeByShortSide, KeepsTheShapeAndTheLimit) {
  EXPECT_EQ(size_by_short_side({480, 640}, 800, 1333), (ImageSize{800, 1066}));
  EXPECT_EQ(size_by_short_side({640, 480}, 800, 1333), (ImageSize{1066, 800}));
  // 800 would make the longer side 2,400: 1333 / 3 is left.
  EXPECT_EQ(size_by_short_side({200, 600}, 800, 1333), (ImageSize{444, 1332}));
  EXPECT_EQ(size_by_short_side({200, 600}, 800, 0), (ImageSize{800, 2400}));
  EXPECT_EQ(size_by_short_side({800, 800}, 800, 1333), (ImageSize{800, 800}));
  // 13.5 pixels are rounded up to 14, by which the longer side would be 1400.
  EXPECT_EQ(size_by_short_side({20, 2000}, 800, 1350), (ImageSize{14, 1350}));
  EXPECT_EQ(size_by_short_side({10000, 1}, 800, 1333), (ImageSize{1333, 1}));
}

TEST(PlanDetection, EvaluationOnlyResizes) {
  const std::array<float, 8> boxes{10, 20, 110, 70, 0, 0, 640, 480};
  const DetectionPlan plan = plan_detection(DetectionOptions{}, false, 1, 0, 5, {480, 640}, boxes);
  EXPECT_FALSE(plan.flip);
  EXPECT_EQ(plan.region, (Region{0, 0, 640, 480}));
  EXPECT_EQ(plan.size, (ImageSize{800, 1066}));
  ASSERT_EQ(plan.boxes.size(), 2U);
  // x by 1066 / 640, y by 800 / 480.
  EXPECT_NEAR(plan.boxes[0].x0, 16.65625, 1e-4);
  EXPECT_NEAR(plan.boxes[0].y0, 33.33333, 1e-4);
  EXPECT_NEAR(plan.boxes[0].x1, 183.21875, 1e-4);
  EXPECT_NEAR(plan.boxes[0].y1, 116.66667, 1e-4);
  EXPECT_NEAR(plan.boxes[0].area, 166.5625 * 83.33333, 1e-2);
  EXPECT_EQ(plan.boxes[1], (DetectionBox{0, 0, 1066, 800, 1066 * 800, 1}));
}

// A crop of a thin image told in its own pixels may be a fraction of one.
TEST(PlanDetection, ACropHoldsAPixelOfTheSource) {
  DetectionOptions options;
  options.crop_min = 1;
  options.crop_max = 2;
  for (const ImageSize source : {ImageSize{1, 65536}, ImageSize{65536, 1}, ImageSize{3, 5}}) {
    for (std::int64_t id = 0; id < 500; ++id) {
      const Region region = plan_detection(options, true, 1, 0, id, source, {}).region;
      EXPECT_GE(region.x1 - region.x0, 0.99F) << id;
      EXPECT_GE(region.y1 - region.y0, 0.99F) << id;
      EXPECT_GE(std::min(region.x0, region.y0), 0.0F);
      EXPECT_LE(region.x1, static_cast<float>(source.width));
      EXPECT_LE(region.y1, static_cast<float>(source.height));
    }
  }
}

// The first sample of a seed that is flipped, or not.
std::int64_t sample_with(const DetectionOptions& options, bool flip, ImageSize source) {
  for (std::int64_t id = 0;; ++id) {
    if (plan_detection(options, true, 1, 0, id, source, {}).flip == flip) return id;
  }
}

TEST(PlanDetection, MirrorsBoxes) {
  DetectionOptions options;
  options.short_sides = {100};
  options.random_crop = false;
  const ImageSize source{100, 200};
  const std::array<float, 4> box{10, 20, 60, 50};
  const DetectionPlan plan =
      plan_detection(options, true, 1, 0, sample_with(options, true, source), source, box);
  EXPECT_EQ(plan.size, source);
  EXPECT_THAT(plan.boxes, ElementsAre(DetectionBox{140, 20, 190, 50, 1500, 0}));
  const DetectionPlan straight =
      plan_detection(options, true, 1, 0, sample_with(options, false, source), source, box);
  EXPECT_THAT(straight.boxes, ElementsAre(DetectionBox{10, 20, 60, 50, 1500, 0}));
}

// Crops are always 300 x 400 of an image that keeps its size: boxes are clipped by hand.
TEST(PlanDetection, ClipsAndDropsBoxesOfACrop) {
  DetectionOptions options;
  options.short_sides = {384};
  options.max_long_side = 0;
  options.crop_short_sides = {500};
  options.crop_min = options.crop_max = 384;
  options.flip = false;
  const ImageSize source{500, 800};
  int crops = 0;
  for (std::int64_t id = 0; id < 50; ++id) {
    const std::array<float, 12> boxes{0, 0, 800, 500, 0, 0, 1, 1, 790, 490, 800, 500};
    const DetectionPlan plan = plan_detection(options, true, 1, 0, id, source, boxes);
    if (plan.region == Region{0, 0, 800, 500}) continue;
    ++crops;
    EXPECT_FLOAT_EQ(plan.region.x1 - plan.region.x0, 384);
    EXPECT_FLOAT_EQ(plan.region.y1 - plan.region.y0, 384);
    EXPECT_EQ(plan.size, (ImageSize{384, 384}));
    ASSERT_FALSE(plan.boxes.empty());
    EXPECT_EQ(plan.boxes[0], (DetectionBox{0, 0, 384, 384, 384 * 384, 0}));
    // The corners' boxes are in only where the crop reaches them.
    const bool first = plan.region.x0 < 1 && plan.region.y0 < 1;
    const bool last = plan.region.x1 > 790 && plan.region.y1 > 490;
    EXPECT_EQ(plan.boxes.size(), 1U + (first ? 1 : 0) + (last ? 1 : 0));
    const std::array<float, 4> across{
        plan.region.x0 - 5, plan.region.y0 + 10, plan.region.x0 + 20, plan.region.y0 + 30};
    EXPECT_THAT(plan_detection(options, true, 1, 0, id, source, across).boxes,
                ElementsAre(DetectionBox{0, 10, 20, 30, 400, 0}));
  }
  EXPECT_GT(crops, 10);
  EXPECT_LT(crops, 40);
}

TEST(PlanDetection, TheCropsResizeIsPartOfTheScale) {
  DetectionOptions options;
  options.short_sides = {768};
  options.max_long_side = 0;
  options.crop_short_sides = {400};  // half of the source
  options.crop_min = options.crop_max = 384;
  options.flip = false;
  for (std::int64_t id = 0; id < 20; ++id) {
    const DetectionPlan plan = plan_detection(options, true, 1, 0, id, {800, 1000}, {});
    if (plan.region == Region{0, 0, 1000, 800}) continue;
    EXPECT_FLOAT_EQ(plan.region.x1 - plan.region.x0, 768);  // 384 pixels of the half
    EXPECT_EQ(plan.size, (ImageSize{768, 768}));
  }
}

TEST(PlanDetection, DropsBoxesThatAreEmptyFromTheStart) {
  const std::array<float, 12> boxes{5, 5, 5, 9, 7, 9, 9, 9, 8, 8, 4, 12};
  EXPECT_THAT(plan_detection(DetectionOptions{}, false, 1, 0, 0, {20, 20}, boxes).boxes, IsEmpty());
}

TEST(PlanDetection, DrawsEverySizeAndFlipsHalf) {
  const DetectionOptions options;
  std::vector<int> counts(options.short_sides.size());
  int flips = 0;
  int crops = 0;
  constexpr int kSamples = 4400;
  for (std::int64_t id = 0; id < kSamples; ++id) {
    const ImageSize source{600, 600};
    const DetectionPlan plan = plan_detection(options, true, 9, 2, id, source, {});
    flips += plan.flip ? 1 : 0;
    const bool crop = plan.region != Region{0, 0, 600, 600};
    crops += crop ? 1 : 0;
    ASSERT_LE(std::max(plan.size.height, plan.size.width), 1333);
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (std::min(plan.size.height, plan.size.width) == options.short_sides[i]) ++counts[i];
    }
    EXPECT_EQ(plan.flip, plan_detection(options, true, 9, 2, id, source, {}).flip);
  }
  for (const int count : counts) EXPECT_NEAR(count, kSamples / 11, 90);
  EXPECT_NEAR(flips, kSamples / 2, 150);
  EXPECT_NEAR(crops, kSamples / 2, 150);
}

TEST(PaddedSize, HoldsAllAndRoundsUp) {
  const std::array<ImageSize, 2> sizes{{{800, 1066}, {1000, 480}}};
  EXPECT_EQ(padded_size(sizes, 1), (ImageSize{1000, 1066}));
  EXPECT_EQ(padded_size(sizes, 32), (ImageSize{1024, 1088}));
}

}  // namespace
}  // namespace lockstep::data
