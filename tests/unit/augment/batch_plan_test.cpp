// Plans of a batch: what is drawn for whom, and that the split into batches changes nothing.
#include "batch_plan.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

namespace lockstep::augment {
namespace {

constexpr data::ImageSize kSize{32, 32};

FeederOptions everything() {
  FeederOptions options;
  options.mean = {0.5, 0.25, 0.125};
  options.std = {0.5, 0.2, 0.1};
  options.seed = 3;
  options.size = kSize;
  options.augment.flip = true;
  options.augment.shift_pixels = 4;
  options.augment.random_crop = true;
  options.augment.brightness = 0.4;
  options.augment.hue = 0.1;
  options.augment.randaugment_ops = 2;
  options.augment.erase_probability = 0.5;
  return options;
}

data::Batch batch_of(const std::vector<std::int64_t>& ids) {
  data::Batch batch;
  batch.epoch = 1;
  batch.batch = std::ssize(ids);
  batch.height = 40;
  batch.width = 50;
  batch.channels = 3;
  batch.sample_ids = ids;
  return batch;
}

BatchPlan plan_of(const FeederOptions& options, const data::Batch& batch) {
  BatchPlan plan;
  BatchPlanner(options).plan(batch, plan);
  return plan;
}

// But for the partner, which is a place in the batch.
bool equal(const SamplePlan& a, SamplePlan b) {
  b.partner = a.partner;
  return a.dx == b.dx && a.dy == b.dy && a.flip == b.flip && a.crop_x == b.crop_x &&
         a.crop_y == b.crop_y && a.crop_width == b.crop_width && a.crop_height == b.crop_height &&
         a.erase_x0 == b.erase_x0 && a.erase_y0 == b.erase_y0 && a.erase_x1 == b.erase_x1 &&
         a.erase_y1 == b.erase_y1 && a.erase_key == b.erase_key && a.lambda == b.lambda;
}

TEST(BatchPlanner, DoesNotDependOnTheSplitIntoBatches) {
  std::vector<std::int64_t> ids(16);
  std::iota(ids.begin(), ids.end(), 100);
  const BatchPlan whole = plan_of(everything(), batch_of(ids));
  ASSERT_EQ(whole.ops_per_sample, 4);
  for (std::size_t i = 0; i < ids.size(); i += 4) {
    const std::vector<std::int64_t> part(ids.begin() + static_cast<std::ptrdiff_t>(i),
                                         ids.begin() + static_cast<std::ptrdiff_t>(i) + 4);
    const BatchPlan plan = plan_of(everything(), batch_of(part));
    for (std::size_t k = 0; k < 4; ++k) {
      EXPECT_TRUE(equal(plan.samples[k], whole.samples[i + k]));
      EXPECT_EQ(std::memcmp(
                    plan.ops_of(k).data(), whole.ops_of(i + k).data(), plan.ops_of(k).size_bytes()),
                0);
    }
  }
}

TEST(BatchPlanner, EvaluationAndPaddingAreOnlyCropped) {
  FeederOptions options = everything();
  const auto expect_centre = [](const SamplePlan& plan) {
    SamplePlan centre;
    centre.crop_x = 5;
    centre.crop_width = centre.crop_height = 40;
    EXPECT_TRUE(equal(plan, centre));
  };
  const BatchPlan training = plan_of(options, batch_of({7, -1}));
  expect_centre(training.samples[1]);
  for (const PixelOp& op : training.ops_of(1)) EXPECT_EQ(op.kind, PixelOpKind::kIdentity);
  options.training = false;
  options.augment.mixup_alpha = 1;
  const BatchPlan evaluation = plan_of(options, batch_of({7, 8}));
  EXPECT_EQ(evaluation.ops_per_sample, 0);
  EXPECT_FALSE(evaluation.mixes);
  expect_centre(evaluation.samples[0]);
  expect_centre(evaluation.samples[1]);
}

TEST(BatchPlanner, LeavesGeometryThatWasAppliedAlone) {
  const std::vector<std::int64_t> ids{1, 2, 3, 4, 5, 6};
  data::Batch batch = batch_of(ids);
  batch.height = batch.width = 32;
  batch.geometry_applied = true;
  const BatchPlan plan = plan_of(everything(), batch);
  bool moved = false;
  bool mirrored = false;
  for (const SamplePlan& sample : plan.samples) {
    EXPECT_EQ(sample.crop_width, 32);
    EXPECT_EQ(sample.crop_height, 32);
    moved = moved || sample.dx != 0;
    mirrored = mirrored || sample.flip != 0;
  }
  // The reader crops and resizes; it neither shifts nor mirrors.
  EXPECT_TRUE(moved);
  EXPECT_TRUE(mirrored);
}

TEST(BatchPlanner, KeepsImagesOfTheRightSizeWhole) {
  FeederOptions options = everything();
  options.augment.random_crop = false;
  options.size = {40, 50};
  const std::vector<std::int64_t> ids{1};
  const SamplePlan plan = plan_of(options, batch_of(ids)).samples[0];
  EXPECT_EQ(plan.crop_width, 50);
  EXPECT_EQ(plan.crop_height, 40);
  options.size = {};  // as the batch has it
  EXPECT_EQ(plan_of(options, batch_of(ids)).shape.width, 50);
}

}  // namespace
}  // namespace lockstep::augment
