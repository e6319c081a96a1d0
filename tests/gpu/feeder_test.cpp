// The device's pass over pixels against the host's: same batches, same plans.
#include "device_test.h"

#include <lockstep/augment/feeder.h>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>

#include <numeric>

namespace lockstep::augment {
namespace {

class FeederTwinTest : public test::DeviceTest {
 protected:
  // A batch of its own memory, padded at the end; every call another one.
  data::Batch next_batch(std::int64_t batch, std::int64_t channels) {
    constexpr std::int64_t kSide = 19;
    const std::int64_t real = batch - 2;
    pixels_.resize(static_cast<std::size_t>(batch * kSide * kSide * channels));
    for (std::uint8_t& pixel : pixels_) {
      state_ = state_ * 1664525U + 1013904223U;
      pixel = static_cast<std::uint8_t>(state_ >> 24);
    }
    labels_.assign(static_cast<std::size_t>(batch), 0);
    sample_ids_.assign(static_cast<std::size_t>(batch), -1);
    weights_.assign(static_cast<std::size_t>(batch), 0.0F);
    std::iota(labels_.begin(), labels_.begin() + real, round_);
    std::iota(sample_ids_.begin(), sample_ids_.begin() + real, 100 * round_);
    std::fill_n(weights_.begin(), real, 1.0F);
    data::Batch view;
    view.epoch = round_++;
    view.batch = batch;
    view.height = view.width = kSide;
    view.channels = channels;
    view.pixels = pixels_;
    view.labels = labels_;
    view.sample_ids = sample_ids_;
    view.weights = weights_;
    return view;
  }

  static FeederOptions options(std::size_t channels) {
    FeederOptions options;
    options.mean.assign(channels, 0.45);
    options.std.assign(channels, 0.25);
    options.mean[0] = 0.3;
    options.augment.flip = true;
    options.augment.shift_pixels = 3;
    options.seed = 11;
    return options;
  }

  void expect_twins(std::int64_t channels) {
    expect_twins(channels, options(static_cast<std::size_t>(channels)), 1e-6F);
  }

  // `share` of the values may differ by more than `limit`: a byte that is rounded the other way.
  void expect_twins(std::int64_t channels,
                    const FeederOptions& feeding,
                    float limit,
                    double share = 0) {
    const auto on_host = make_feeder(gpu::host_backend(), at::kCPU, feeding);
    const auto on_device = make_feeder(backend(), at::Device(at::kCUDA, 0), feeding);
    // The batch changes its size on the way, as between training and evaluation.
    for (const std::int64_t batch : {8, 8, 8, 5, 8}) {
      const data::Batch pixels = next_batch(batch, channels);
      const DeviceBatch expected = on_host->feed(pixels);
      const DeviceBatch actual = on_device->feed(pixels);
      EXPECT_TRUE(actual.images.device().is_cuda());
      const at::Tensor far = (actual.images.cpu() - expected.images).abs() > limit;
      EXPECT_LE(far.to(at::kFloat).mean().item<double>(), share);
      EXPECT_TRUE(actual.labels.cpu().equal(expected.labels));
      EXPECT_TRUE(actual.weights.cpu().equal(expected.weights));
      EXPECT_TRUE(actual.sample_ids.equal(expected.sample_ids));
      EXPECT_EQ(actual.lambda.defined(), expected.lambda.defined());
      if (expected.lambda.defined()) {
        EXPECT_TRUE(actual.lambda.cpu().equal(expected.lambda));
        EXPECT_TRUE(actual.labels_b.cpu().equal(expected.labels_b));
      }
      on_device->reusable()->synchronize();  // before the slab is drawn anew
    }
  }

 private:
  std::vector<std::uint8_t> pixels_;
  std::vector<std::int64_t> labels_;
  std::vector<std::int64_t> sample_ids_;
  std::vector<float> weights_;
  std::uint32_t state_ = 5;
  std::int64_t round_ = 0;
};

TEST_F(FeederTwinTest, EqualToTheHostInGrey) { expect_twins(1); }

TEST_F(FeederTwinTest, EqualToTheHostInColour) { expect_twins(3); }

TEST_F(FeederTwinTest, CropsAndResizesAlike) {
  FeederOptions feeding = options(3);
  feeding.size = {24, 13};
  expect_twins(3, feeding, 1e-5F);
  feeding.augment.random_crop = true;
  expect_twins(3, feeding, 1e-5F);
  feeding.training = false;
  expect_twins(3, feeding, 1e-5F);
}

TEST_F(FeederTwinTest, ErasesAndMixesAlike) {
  FeederOptions feeding = options(3);
  feeding.augment.erase_probability = 0.7;
  feeding.augment.erase_fill = "noise";
  feeding.augment.mixup_alpha = 0.8;
  expect_twins(3, feeding, 1e-5F);
  feeding.augment.cutmix_alpha = 1;
  expect_twins(3, feeding, 1e-5F);
  feeding.augment.mixup_alpha = 0;
  expect_twins(3, feeding, 1e-5F);
}

// Bytes are equal to the last but where a hue lies on the border of two.
TEST_F(FeederTwinTest, OperationsOnBytesAreAlike) {
  for (const std::int64_t channels : {1, 3}) {
    FeederOptions feeding = options(static_cast<std::size_t>(channels));
    feeding.augment.randaugment_ops = 3;
    feeding.augment.random_crop = true;
    expect_twins(channels, feeding, 1e-6F);
    feeding.augment.brightness = feeding.augment.contrast = feeding.augment.saturation = 0.4;
    expect_twins(channels, feeding, 1e-6F);
  }
  FeederOptions hue = options(3);
  hue.augment.hue = 0.2;
  expect_twins(3, hue, 1e-6F, 1e-3);
}

// The copy stream must not overtake kernels that still read the slot of two feeds ago.
TEST_F(FeederTwinTest, ABatchStaysWhileItsStepIsUnderWay) {
  const auto feeder = make_feeder(backend(), at::Device(at::kCUDA, 0), options(1));
  const at::Tensor heavy =
      at::empty({4096, 4096}, at::TensorOptions(at::kFloat).device(at::kCUDA, 0)).fill_(1e-4);
  std::vector<at::Tensor> sums;
  std::vector<double> expected;
  for (int step = 0; step < 6; ++step) {
    const data::Batch batch = next_batch(16, 1);
    const DeviceBatch fed = feeder->feed(batch);
    const auto host = make_feeder(gpu::host_backend(), at::kCPU, options(1));
    expected.push_back(host->feed(batch).images.sum(at::kDouble).item<double>());
    for (int i = 0; i < 4; ++i) at::matmul(heavy, heavy);  // keeps the compute stream busy
    sums.push_back(fed.images.sum(at::kDouble));
    feeder->reusable()->synchronize();
  }
  for (std::size_t step = 0; step < sums.size(); ++step) {
    EXPECT_NEAR(sums[step].item<double>(), expected[step], 1e-3) << "step " << step;
  }
}

}  // namespace
}  // namespace lockstep::augment
