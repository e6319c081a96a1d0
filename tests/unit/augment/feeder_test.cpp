// From a slab of bytes to model input on the host.
#include <lockstep/augment/feeder.h>

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

namespace lockstep::augment {
namespace {

struct Slab {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int64_t> labels{3, 0};
  std::vector<std::int64_t> ids{17, -1};
  std::vector<float> weights{1.0F, 0.0F};

  data::Batch batch(std::int64_t channels) {
    pixels.assign(static_cast<std::size_t>(2 * 2 * 2 * channels), 0);
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 10);
    data::Batch batch;
    batch.batch = 2;
    batch.height = 2;
    batch.width = 2;
    batch.channels = channels;
    batch.pixels = pixels;
    batch.labels = labels;
    batch.sample_ids = ids;
    batch.weights = weights;
    batch.num_real = 1;
    return batch;
  }
};

TEST(Feeder, NormalisesByMeanAndStdPerChannel) {
  Slab slab;
  const data::Batch batch = slab.batch(3);
  FeederOptions options;
  options.mean = {0.5, 0.25, 0.125};
  options.std = {0.5, 0.2, 0.1};
  const auto feeder = make_feeder(gpu::host_backend(), at::Device(at::kCPU), options);
  const DeviceBatch out = feeder->feed(batch);
  ASSERT_EQ(out.images.sizes(), at::IntArrayRef({2, 3, 2, 2}));
  // Sample 0, channel 1, y 1, x 0 is byte (1*2 + 0)*3 + 1 = 7.
  EXPECT_NEAR(out.images[0][1][1][0].item<float>(), (70.0 / 255 - 0.25) / 0.2, 1e-5);
  EXPECT_EQ(out.labels[0].item<std::int64_t>(), 3);
  EXPECT_EQ(out.weights[1].item<float>(), 0.0F);
  EXPECT_EQ(out.sample_ids[1].item<std::int64_t>(), -1);
  EXPECT_EQ(feeder->reusable(), nullptr);
}

TEST(Feeder, TensorsStayValidForOneMoreCall) {
  Slab slab;
  FeederOptions options;
  options.mean = {0.0};
  options.std = {1.0};
  const auto feeder = make_feeder(gpu::host_backend(), at::Device(at::kCPU), options);
  const data::Batch batch = slab.batch(1);
  const DeviceBatch first = feeder->feed(batch);
  slab.labels[0] = 9;
  const DeviceBatch second = feeder->feed(batch);
  EXPECT_EQ(first.labels[0].item<std::int64_t>(), 3);
  EXPECT_EQ(second.labels[0].item<std::int64_t>(), 9);
  EXPECT_NE(first.images.data_ptr(), second.images.data_ptr());
}

TEST(Feeder, PaddedSamplesAreNeverMoved) {
  Slab slab;
  FeederOptions options;
  options.mean = {0.0};
  options.std = {1.0};
  options.augment.flip = true;
  options.augment.shift_pixels = 2;
  const auto feeder = make_feeder(gpu::host_backend(), at::Device(at::kCPU), options);
  const DeviceBatch out = feeder->feed(slab.batch(1));
  EXPECT_NEAR(out.images[1][0][0][0].item<float>(), 40.0 / 255, 1e-6);
  EXPECT_NEAR(out.images[1][0][1][1].item<float>(), 70.0 / 255, 1e-6);
}

TEST(Feeder, ResizesToTheModelsSize) {
  Slab slab;
  FeederOptions options;
  options.mean = {0.0};
  options.std = {1.0};
  options.training = false;
  options.size = {1, 1};
  const auto feeder = make_feeder(gpu::host_backend(), at::Device(at::kCPU), options);
  const DeviceBatch out = feeder->feed(slab.batch(1));
  ASSERT_EQ(out.images.sizes(), at::IntArrayRef({2, 1, 1, 1}));
  EXPECT_NEAR(out.images[0][0][0][0].item<float>(), (0 + 10 + 20 + 30) / 4.0 / 255, 1e-6);
}

// Three real samples and padding: the outer two are mixed, the middle and the padding are not.
struct MixedSlab {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int64_t> labels{3, 1, 5, 0};
  std::vector<std::int64_t> ids{17, 4, 9, -1};
  std::vector<float> weights{1, 1, 1, 0};

  data::Batch batch() {
    pixels.resize(4 * 8 * 8);
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      pixels[i] = static_cast<std::uint8_t>(10 * (i / 64) + 10);
    }
    data::Batch batch;
    batch.batch = 4;
    batch.height = batch.width = 8;
    batch.channels = 1;
    batch.pixels = pixels;
    batch.labels = labels;
    batch.sample_ids = ids;
    batch.weights = weights;
    return batch;
  }
};

FeederOptions raw_bytes() {
  FeederOptions options;
  options.mean = {0.0};
  options.std = {1.0 / 255};
  return options;
}

TEST(Feeder, MixesImagesAndLabelsAlike) {
  MixedSlab slab;
  FeederOptions options = raw_bytes();
  options.augment.mixup_alpha = 1;
  const auto feeder = make_feeder(gpu::host_backend(), at::Device(at::kCPU), options);
  const DeviceBatch out = feeder->feed(slab.batch());
  const float lambda = out.lambda[0].item<float>();
  EXPECT_GT(lambda, 0);
  EXPECT_LT(lambda, 1);
  EXPECT_EQ(out.lambda[2].item<float>(), lambda);
  EXPECT_EQ(out.lambda[1].item<float>(), 1);
  EXPECT_EQ(out.lambda[3].item<float>(), 1);
  EXPECT_TRUE(out.labels.equal(at::tensor({3, 1, 5, 0}, at::kLong)));
  EXPECT_TRUE(out.labels_b.equal(at::tensor({5, 1, 3, 0}, at::kLong)));
  const auto pixel = [&](std::int64_t i) { return out.images[i][0][5][2].item<float>(); };
  EXPECT_NEAR(pixel(0), lambda * 10 + (1 - lambda) * 30, 1e-4);
  EXPECT_NEAR(pixel(2), lambda * 30 + (1 - lambda) * 10, 1e-4);
  EXPECT_NEAR(pixel(1), 20, 1e-4);
  EXPECT_NEAR(pixel(3), 40, 1e-4);
}

TEST(Feeder, CutsABoxOfItsShare) {
  MixedSlab slab;
  FeederOptions options = raw_bytes();
  options.augment.cutmix_alpha = 1;
  const auto feeder = make_feeder(gpu::host_backend(), at::Device(at::kCPU), options);
  int cut = 0;
  for (std::int64_t epoch = 0; epoch < 10; ++epoch) {
    data::Batch batch = slab.batch();
    batch.epoch = epoch;
    const DeviceBatch out = feeder->feed(batch);
    const float share = out.lambda[0].item<float>();
    cut += share < 1 ? 1 : 0;
    // 10 outside the box, 30 inside.
    EXPECT_NEAR(out.images[0].mean().item<float>(), 10 * share + 30 * (1 - share), 1e-4);
    EXPECT_NEAR(out.images[2].mean().item<float>(), 30 * share + 10 * (1 - share), 1e-4);
  }
  EXPECT_GT(cut, 5);
}

TEST(Feeder, SaysNothingOfMixingWhenItIsOff) {
  MixedSlab slab;
  FeederOptions options = raw_bytes();
  const DeviceBatch plain =
      make_feeder(gpu::host_backend(), at::Device(at::kCPU), options)->feed(slab.batch());
  EXPECT_FALSE(plain.lambda.defined());
  EXPECT_FALSE(plain.labels_b.defined());
  options.augment.mixup_alpha = 1;
  options.training = false;
  const DeviceBatch evaluated =
      make_feeder(gpu::host_backend(), at::Device(at::kCPU), options)->feed(slab.batch());
  EXPECT_FALSE(evaluated.lambda.defined());
}

}  // namespace
}  // namespace lockstep::augment
