// What the feeder of a device sends to its kernel, and what the kernel makes of it: the same
// function that each of its threads runs, here on the host against the host's own pass.
#include "detection_tensors.h"

#include "detection_math.h"
#include "transform_pixels.h"

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>
#include <support/painted_dataset.h>

#include <cstring>

namespace lockstep::augment {
namespace {

data::LoaderOptions loading_of(const data::Dataset& dataset) {
  data::LoaderOptions loading;
  loading.sampler.num_samples = dataset.info().num_samples;
  loading.sampler.batch_per_rank = 6;
  loading.detection = test::small_recipe();
  loading.training = true;
  loading.num_epochs = 1;
  return loading;
}

TEST(DetectionTensors, EveryPixelOfTheKernelIsThatOfTheHost) {
  const test::PaintedDataset dataset(16);  // two of the last batch are padding
  const auto loader = data::make_loader(dataset, gpu::host_backend(), loading_of(dataset));
  const std::vector<double> mean{0.4, 0.5, 0.6};
  const std::vector<double> std{0.2, 0.3, 0.4};
  const auto feeder = make_detection_feeder(gpu::host_backend(), at::kCPU, mean, std);
  const Normalisation normalisation = make_normalisation(mean, std);
  while (const data::Batch* batch = loader->next()) {
    const DetectionDeviceBatch expected = feeder->feed(*batch);
    std::vector<DetectionSlot> slots;
    for (const data::DetectionImage& image : batch->detection->images) {
      slots.push_back(slot_of(image));
    }
    DetectionArguments arguments{};
    arguments.pixels = batch->pixels.data();
    arguments.slots = slots.data();
    arguments.channels = 3;
    arguments.height = static_cast<std::int32_t>(batch->height);
    arguments.width = static_cast<std::int32_t>(batch->width);
    std::memcpy(arguments.scale, normalisation.scale, sizeof arguments.scale);
    std::memcpy(arguments.shift, normalisation.shift, sizeof arguments.shift);
    const auto images = expected.images.accessor<float, 4>();
    const auto mask = expected.mask.accessor<bool, 3>();
    for (std::int64_t b = 0; b < 6; ++b) {
      for (std::int32_t y = 0; y < arguments.height; ++y) {
        for (std::int32_t x = 0; x < arguments.width; ++x) {
          float values[4];
          ASSERT_EQ(detection_pixel(arguments, b, y, x, values), !mask[b][y][x]);
          for (std::int64_t c = 0; c < 3; ++c) ASSERT_NEAR(values[c], images[b][c][y][x], 1e-5);
        }
      }
    }
    loader->release(batch, nullptr);
  }
}

TEST(GrownTensor, KeepsItsMemoryWhereItFits) {
  GrownTensor tensor;
  tensor.options = at::TensorOptions().dtype(at::kFloat);
  bool grew = false;
  const void* const first = tensor.take({4, 10}, grew).data_ptr();
  EXPECT_TRUE(grew);
  grew = false;
  EXPECT_EQ(tensor.take({3, 5}, grew).data_ptr(), first);
  EXPECT_EQ(tensor.take({0, 4}, grew).numel(), 0);
  EXPECT_EQ(tensor.take({50}, grew).data_ptr(), first);  // a quarter more was taken
  EXPECT_FALSE(grew);
  EXPECT_EQ(tensor.take({51}, grew).numel(), 51);
  EXPECT_TRUE(grew);
}

}  // namespace
}  // namespace lockstep::augment
