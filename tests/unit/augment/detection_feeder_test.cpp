// From a detection data set to what a detector takes, on the host: what the plan says of a box is
// where its pixels are.
#include <lockstep/augment/detection.h>
#include <lockstep/augment/detection_feeder.h>

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>
#include <support/painted_dataset.h>

#include <algorithm>

namespace lockstep::augment {
namespace {

using test::PaintedDataset;

data::LoaderOptions loading_of(const data::Dataset& dataset, std::int64_t batch, bool training) {
  data::LoaderOptions loading;
  loading.sampler.num_samples = dataset.info().num_samples;
  loading.sampler.batch_per_rank = batch;
  loading.sampler.seed = 5;
  loading.detection = test::small_recipe();
  loading.training = training;
  loading.num_epochs = 1;
  return loading;
}

// Values of a result are bytes.
std::unique_ptr<DetectionFeeder> byte_feeder() {
  return make_detection_feeder(
      gpu::host_backend(), at::kCPU, {0, 0, 0}, {1. / 255, 1. / 255, 1. / 255});
}

// By how many pixels of the result a pixel of the image was enlarged: so far do edges blur.
float blur_of(const data::DetectionPlan& plan) {
  const float x = static_cast<float>(plan.size.width) / (plan.region.x1 - plan.region.x0);
  const float y = static_cast<float>(plan.size.height) / (plan.region.y1 - plan.region.y0);
  return 0.5F + 1.01F * std::max({1.0F, x, y});
}

// Of channel 0, away from the edges of boxes: bright inside of them, dark outside.
void expect_boxes_seen(const at::Tensor& image,
                       const data::DetectionPlan& plan,
                       const data::Boxes& stored) {
  const auto values = image.accessor<float, 2>();
  const float blur = blur_of(plan);
  for (int y = 0; y < plan.size.height; ++y) {
    for (int x = 0; x < plan.size.width; ++x) {
      const float at_x = static_cast<float>(x) + 0.5F;
      const float at_y = static_cast<float>(y) + 0.5F;
      int wanted = PaintedDataset::kBackground;
      bool sure = true;
      for (const data::DetectionBox& box : plan.boxes) {
        // Clipped edges are no edges of what is painted.
        const float left = box.x0 > 0 ? box.x0 : -2 * blur;
        const float top = box.y0 > 0 ? box.y0 : -2 * blur;
        const auto width = static_cast<float>(plan.size.width);
        const auto height = static_cast<float>(plan.size.height);
        const float right = box.x1 < width ? box.x1 : width + 2 * blur;
        const float bottom = box.y1 < height ? box.y1 : height + 2 * blur;
        const float inside = std::min({at_x - left, right - at_x, at_y - top, bottom - at_y});
        if (inside > blur) {
          wanted = PaintedDataset::brightness(stored.classes[static_cast<std::size_t>(box.source)]);
        } else if (inside > -blur) {
          sure = false;
        }
      }
      if (!sure) continue;
      ASSERT_NEAR(values[y][x], wanted, 1.5) << "y " << y << " x " << x;
    }
  }
}

TEST(DetectionFeeder, BoxesAreWhereTheirPixelsAre) {
  const PaintedDataset dataset(64);
  for (const bool training : {true, false}) {
    const auto loader =
        data::make_loader(dataset, gpu::host_backend(), loading_of(dataset, 8, training));
    const auto feeder = byte_feeder();
    int flips = 0;
    int crops = 0;
    int smaller = 0;
    while (const data::Batch* batch = loader->next()) {
      const DetectionDeviceBatch out = feeder->feed(*batch);
      for (std::size_t i = 0; i < 8; ++i) {
        const data::DetectionImage& image = batch->detection->images[i];
        flips += image.plan.flip ? 1 : 0;
        crops += image.plan.region.x0 > 0 ? 1 : 0;
        smaller += image.part == image.plan.region && image.stored == image.plan.size ? 1 : 0;
        const std::int64_t index = batch->sample_ids[i] - 1000;
        SCOPED_TRACE(index);
        expect_boxes_seen(
            out.images[static_cast<std::int64_t>(i)][0], image.plan, dataset.boxes(index));
      }
      loader->release(batch, nullptr);
    }
    EXPECT_EQ(flips > 10, training);
    EXPECT_EQ(crops > 10, training);
    EXPECT_EQ(smaller > 5, training);
  }
}

TEST(DetectionFeeder, MaskIsTrueWherePadded) {
  const PaintedDataset dataset(7);  // batches of four: the last sample is padding
  const auto loader = data::make_loader(dataset, gpu::host_backend(), loading_of(dataset, 4, true));
  const auto feeder = byte_feeder();
  while (const data::Batch* batch = loader->next()) {
    const DetectionDeviceBatch out = feeder->feed(*batch);
    ASSERT_EQ(out.mask.scalar_type(), at::kBool);
    ASSERT_EQ(out.mask.sizes(), at::IntArrayRef({4, batch->height, batch->width}));
    ASSERT_EQ(out.images.sizes(), at::IntArrayRef({4, 3, batch->height, batch->width}));
    for (std::int64_t i = 0; i < 4; ++i) {
      const std::int64_t height = out.sizes[i][0].item<std::int64_t>();
      const std::int64_t width = out.sizes[i][1].item<std::int64_t>();
      EXPECT_EQ(batch->detection->images[static_cast<std::size_t>(i)].plan.size,
                (data::ImageSize{static_cast<int>(height), static_cast<int>(width)}));
      const at::Tensor inside = out.mask[i].narrow(0, 0, height).narrow(1, 0, width);
      EXPECT_EQ(inside.sum().item<std::int64_t>(), 0);
      EXPECT_EQ(out.mask[i].sum().item<std::int64_t>(),
                batch->height * batch->width - height * width);
      EXPECT_EQ(out.images[i].masked_select(out.mask[i]).abs().sum().item<float>(), 0);
      if (batch->sample_ids[static_cast<std::size_t>(i)] >= 0) continue;
      EXPECT_EQ(out.mask[i].sum().item<std::int64_t>(), 0);
      EXPECT_EQ(out.images[i].abs().sum().item<float>(), 0);
      EXPECT_EQ(out.weights[i].item<float>(), 0);
      EXPECT_EQ(out.counts[i].item<std::int64_t>(), 0);
      EXPECT_EQ(out.classes[i].max().item<std::int64_t>(), -1);
    }
    loader->release(batch, nullptr);
  }
}

TEST(DetectionFeeder, TargetsAreRelativeToTheImageWithoutItsPadding) {
  const PaintedDataset dataset(8);
  const auto loader =
      data::make_loader(dataset, gpu::host_backend(), loading_of(dataset, 8, false));
  const data::Batch* batch = loader->next();
  const DetectionDeviceBatch out = byte_feeder()->feed(*batch);
  EXPECT_EQ(out.num_boxes_global, 10);
  EXPECT_EQ(out.crowd.sum().item<std::int64_t>(), 2);
  for (std::int64_t i = 0; i < 8; ++i) {
    const std::int64_t index = batch->sample_ids[static_cast<std::size_t>(i)] - 1000;
    const data::Boxes stored = dataset.boxes(index);
    const auto original = dataset.image_size(index);
    EXPECT_EQ(out.counts[i].item<std::int64_t>(), std::ssize(stored.classes));
    EXPECT_EQ(out.sample_ids[i].item<std::int64_t>(), 1000 + index);
    EXPECT_EQ(out.original_sizes[i][0].item<std::int64_t>(), original.height);
    EXPECT_EQ(out.original_sizes[i][1].item<std::int64_t>(), original.width);
    for (std::int64_t j = 0; j < std::ssize(stored.classes); ++j) {
      const float* corners = stored.corners.data() + 4 * j;
      const at::Tensor target = out.targets[i][j];
      const auto width = static_cast<float>(original.width);
      const auto height = static_cast<float>(original.height);
      EXPECT_NEAR(target[0].item<float>(), (corners[0] + corners[2]) / 2 / width, 1e-6);
      EXPECT_NEAR(target[1].item<float>(), (corners[1] + corners[3]) / 2 / height, 1e-6);
      EXPECT_NEAR(target[2].item<float>(), (corners[2] - corners[0]) / width, 1e-6);
      EXPECT_NEAR(target[3].item<float>(), (corners[3] - corners[1]) / height, 1e-6);
      EXPECT_NEAR(out.boxes[i][j][2].item<float>(),
                  corners[2] / width * out.sizes[i][1].item<float>(),
                  1e-4);
      EXPECT_EQ(out.classes[i][j].item<std::int64_t>(), j);
    }
  }
}

// Reader threads that make the floats and the feeder give the same.
TEST(DetectionFeeder, TakesFloatsOfTheLoader) {
  const PaintedDataset dataset(7);
  data::LoaderOptions loading = loading_of(dataset, 4, true);
  const auto bytes = data::make_loader(dataset, gpu::host_backend(), loading);
  const std::vector<double> mean{0.4, 0.5, 0.6};
  const std::vector<double> std{0.2, 0.3, 0.4};
  loading.detection_to_floats = make_detection_to_floats(mean, std);
  loading.threads = 2;
  const auto floats = data::make_loader(dataset, gpu::host_backend(), loading);
  const auto one = make_detection_feeder(gpu::host_backend(), at::kCPU, mean, std);
  const auto other = make_detection_feeder(gpu::host_backend(), at::kCPU, mean, std);
  while (const data::Batch* batch = bytes->next()) {
    const data::Batch* made = floats->next();
    ASSERT_NE(made, nullptr);
    const DetectionDeviceBatch a = one->feed(*batch);
    const DetectionDeviceBatch b = other->feed(*made);
    EXPECT_TRUE(a.images.equal(b.images));
    EXPECT_TRUE(a.mask.equal(b.mask));
    EXPECT_TRUE(a.boxes.equal(b.boxes));
    bytes->release(batch, nullptr);
    floats->release(made, nullptr);
  }
}

TEST(DetectionFeeder, TensorsStayValidForOneMoreCall) {
  const PaintedDataset dataset(16);
  const auto loader = data::make_loader(dataset, gpu::host_backend(), loading_of(dataset, 4, true));
  const auto feeder = byte_feeder();
  const data::Batch* batch = loader->next();
  const DetectionDeviceBatch first = feeder->feed(*batch);
  const at::Tensor images = first.images.clone();
  const at::Tensor boxes = first.boxes.clone();
  loader->release(batch, nullptr);
  batch = loader->next();
  const DetectionDeviceBatch second = feeder->feed(*batch);
  EXPECT_TRUE(first.images.equal(images));
  EXPECT_TRUE(first.boxes.equal(boxes));
  EXPECT_NE(first.images.data_ptr(), second.images.data_ptr());
}

TEST(DetectionFeeder, AStepMayHaveNoBoxes) {
  const PaintedDataset dataset(1);
  const auto loader = data::make_loader(dataset, gpu::host_backend(), loading_of(dataset, 2, true));
  const DetectionDeviceBatch out = byte_feeder()->feed(*loader->next());
  EXPECT_EQ(out.boxes.sizes(), at::IntArrayRef({2, 0, 4}));
  EXPECT_EQ(out.classes.sizes(), at::IntArrayRef({2, 0}));
  EXPECT_EQ(out.num_boxes_global, 0);
}

}  // namespace
}  // namespace lockstep::augment
