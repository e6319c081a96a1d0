// What the ranks of a step have in common, and the boxes of one rank's share.
#include "detection_planner.h"

#include <gmock/gmock.h>
#include <support/painted_dataset.h>

#include <numeric>

namespace lockstep::data {
namespace {

using test::PaintedDataset;
using test::small_recipe;
using testing::Each;

DetectionSlab plan_all(const DetectionPlanner& planner, std::int64_t num_samples) {
  DetectionSlab slab;
  slab.step.resize(static_cast<std::size_t>(num_samples));
  std::iota(slab.step.begin(), slab.step.end(), 0);
  planner.plan(0, slab.step, slab);
  return slab;
}

TEST(DetectionPlanner, BoxesAreThoseOfThePlansFollowedByPadding) {
  const PaintedDataset dataset(16);
  const DetectionPlanner planner(dataset, small_recipe(), true, 3);
  const DetectionSlab slab = plan_all(planner, 16);
  const DetectionBatch& batch = slab.view;
  EXPECT_LE(batch.max_boxes, 3);
  std::int64_t total = 0;
  std::int64_t dropped = 0;
  std::vector<ImageSize> sizes;
  for (std::size_t i = 0; i < 16; ++i) {
    const auto index = static_cast<std::int64_t>(i);
    const Boxes stored = dataset.boxes(index);
    const DetectionPlan plan = plan_detection(small_recipe(),
                                              true,
                                              3,
                                              0,
                                              dataset.sample_id(index),
                                              dataset.image_size(index),
                                              stored.corners);
    EXPECT_EQ(batch.images[i].plan.size, plan.size);
    sizes.push_back(plan.size);
    EXPECT_EQ(batch.images[i].original, dataset.image_size(index));
    dropped += std::ssize(stored.classes) - std::ssize(plan.boxes);
    std::int64_t count = 0;
    for (const DetectionBox& box : plan.boxes) {
      const auto source = static_cast<std::size_t>(box.source);
      if (stored.crowd[source] != 0) continue;
      const auto slot =
          i * static_cast<std::size_t>(batch.max_boxes) + static_cast<std::size_t>(count++);
      EXPECT_EQ(batch.boxes[4 * slot], box.x0);
      EXPECT_EQ(batch.boxes[4 * slot + 3], box.y1);
      EXPECT_EQ(batch.classes[slot], stored.classes[source]);
    }
    EXPECT_EQ(batch.counts[i], count) << i;
    total += count;
    for (std::int64_t j = count; j < batch.max_boxes; ++j) {
      const auto slot = i * static_cast<std::size_t>(batch.max_boxes) + static_cast<std::size_t>(j);
      EXPECT_EQ(batch.classes[slot], -1);
      EXPECT_EQ(batch.boxes[4 * slot + 2], 0);
    }
  }
  EXPECT_EQ(batch.padded, padded_size(sizes, 16));
  EXPECT_EQ(batch.num_boxes_global, total);
  EXPECT_GT(dropped, 0) << "no crop cut a box away";
  EXPECT_THAT(batch.crowd, Each(0));
}

TEST(DetectionPlanner, EvaluationKeepsCrowdsButDoesNotCountThem) {
  const PaintedDataset dataset(8);  // 0 + 1 + 2 + 3 boxes, twice; crowds in 3 and 7
  const DetectionPlanner planner(dataset, small_recipe(), false, 3);
  const DetectionSlab slab = plan_all(planner, 8);
  EXPECT_EQ(slab.view.max_boxes, 3);
  EXPECT_EQ(slab.view.num_boxes_global, 10);
  EXPECT_EQ(slab.view.counts[3], 3);
  EXPECT_EQ(slab.view.crowd[3 * 3 + 1], 1);
  EXPECT_EQ(std::accumulate(slab.view.crowd.begin(), slab.view.crowd.end(), 0), 2);
}

TEST(DetectionPlanner, AnOutlinesAreaGrowsWithTheImageAndAPartHasItsOwn) {
  const PaintedDataset dataset(64);
  DetectionOptions recipe = small_recipe();
  const DetectionSlab whole = plan_all({dataset, recipe, false, 1}, 2);
  const ImageSize size = whole.images[1].plan.size;
  EXPECT_NEAR(whole.areas[1], 77.0 * size.height * size.width / (67 * 71), 1e-2);
  const DetectionSlab parts = plan_all({dataset, recipe, true, 1}, 64);
  int seen = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    const DetectionPlan& plan = parts.images[i].plan;
    if (plan.boxes.empty() || parts.counts[i] == 0 || plan.region.x0 == 0) continue;
    EXPECT_EQ(parts.areas[i * static_cast<std::size_t>(parts.view.max_boxes)], plan.boxes[0].area);
    ++seen;
  }
  EXPECT_GT(seen, 5);
}

TEST(DetectionPlanner, ReadersMakeImagesSmallerAndLeaveTheRest) {
  const PaintedDataset dataset(64);
  const DetectionSlab slab = plan_all({dataset, small_recipe(), true, 1}, 64);
  int smaller = 0;
  int cut = 0;
  std::int64_t end = 0;
  for (const DetectionImage& image : slab.images) {
    EXPECT_EQ(image.offset, end);
    end += std::int64_t{3} * image.stored.height * image.stored.width;
    EXPECT_EQ(image.rest.size, image.plan.size);
    EXPECT_EQ(image.rest.flip, image.plan.flip);
    const Region& region = image.plan.region;
    if (static_cast<float>(image.plan.size.width) < region.x1 - region.x0) {
      ++smaller;
      EXPECT_EQ(image.stored, image.plan.size);
      EXPECT_EQ(image.part, region);
      EXPECT_EQ(image.rest.region.x1, static_cast<float>(image.stored.width));
    } else if (region != Region{0, 0, region.x1, region.y1}) {
      ++cut;
      EXPECT_LE(image.part.x0, region.x0);
      EXPECT_LT(region.x0 - image.part.x0, 1);
      EXPECT_EQ(image.rest.region.x0, region.x0 - image.part.x0);
      EXPECT_EQ(static_cast<float>(image.stored.width), image.part.x1 - image.part.x0);
      EXPECT_LE(image.part.x1, static_cast<float>(image.original.width));
    }
  }
  EXPECT_EQ(slab.pixel_bytes, static_cast<std::size_t>(end));
  EXPECT_GT(smaller, 5);
  EXPECT_GT(cut, 5);
}

TEST(DetectionPlanner, PaddingHasTheStepsSizeAndNoPixels) {
  const PaintedDataset dataset(8);
  DetectionSlab slab;
  slab.step = {3, 7, -1, -1};
  const std::vector<std::int64_t> own{7, -1};
  const DetectionPlanner planner(dataset, small_recipe(), false, 1);
  planner.plan(0, own, slab);
  // 81 x 53 and 74 x 53 become 152 x 100 and 139 x 100: the other rank's image is the larger.
  EXPECT_EQ(slab.view.padded, (ImageSize{160, 112}));
  EXPECT_EQ(slab.images[1].plan.size, slab.view.padded);
  EXPECT_EQ(slab.images[1].stored, ImageSize{});
  EXPECT_EQ(slab.counts, (std::vector<std::int64_t>{3, 0}));
  EXPECT_EQ(slab.view.num_boxes_global, 4);
  DetectionPlanner::pad_from(slab, 0);
  EXPECT_EQ(slab.images[0].stored, ImageSize{});
  EXPECT_THAT(slab.counts, Each(0));
  EXPECT_THAT(slab.classes, Each(-1));
  EXPECT_THAT(slab.boxes, Each(0));
  EXPECT_EQ(slab.view.num_boxes_global, 4);
}

TEST(DetectionPlanner, AStepMayHaveNoBoxes) {
  const PaintedDataset dataset(1);
  const DetectionSlab slab = plan_all({dataset, small_recipe(), true, 1}, 1);
  EXPECT_EQ(slab.view.max_boxes, 0);
  EXPECT_TRUE(slab.view.boxes.empty());
  EXPECT_EQ(slab.view.num_boxes_global, 0);
  EXPECT_EQ(slab.counts[0], 0);
}

}  // namespace
}  // namespace lockstep::data
