// The device's pass over padded detection batches against the host's: same batches, same plans.
#include "device_test.h"

#include <lockstep/augment/detection_feeder.h>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <support/painted_dataset.h>

namespace lockstep::augment {
namespace {

class DetectionFeederTwinTest : public test::DeviceTest {
 protected:
  static data::LoaderOptions loading(bool training, std::int64_t num_epochs) {
    data::LoaderOptions loading;
    loading.sampler.num_samples = kSamples;
    loading.sampler.batch_per_rank = 4;
    loading.detection = test::small_recipe();
    loading.training = training;
    loading.num_epochs = num_epochs;
    return loading;
  }

  std::unique_ptr<DetectionFeeder> device_feeder() {
    return make_detection_feeder(backend(), at::Device(at::kCUDA, 0), mean_, std_);
  }
  std::unique_ptr<DetectionFeeder> host_feeder() {
    return make_detection_feeder(gpu::host_backend(), at::kCPU, mean_, std_);
  }

  static constexpr std::int64_t kSamples = 22;  // the last batch is padded

  const test::PaintedDataset dataset_{kSamples};
  const std::vector<double> mean_{0.4, 0.5, 0.6};
  const std::vector<double> std_{0.2, 0.3, 0.4};
};

// The shapes of batches change on the way, up and down.
TEST_F(DetectionFeederTwinTest, EqualToTheHost) {
  for (const bool training : {true, false}) {
    const auto loader = data::make_loader(dataset_, backend(), loading(training, 3));
    const auto on_host = host_feeder();
    const auto on_device = device_feeder();
    while (const data::Batch* batch = loader->next()) {
      const DetectionDeviceBatch expected = on_host->feed(*batch);
      const DetectionDeviceBatch actual = on_device->feed(*batch);
      EXPECT_TRUE(actual.images.device().is_cuda());
      EXPECT_LE((actual.images.cpu() - expected.images).abs().max().item<float>(), 1e-5F);
      EXPECT_TRUE(actual.mask.cpu().equal(expected.mask));
      EXPECT_TRUE(actual.boxes.cpu().equal(expected.boxes));
      EXPECT_TRUE(actual.targets.cpu().equal(expected.targets));
      EXPECT_TRUE(actual.classes.cpu().equal(expected.classes));
      EXPECT_TRUE(actual.areas.cpu().equal(expected.areas));
      EXPECT_TRUE(actual.crowd.cpu().equal(expected.crowd));
      EXPECT_TRUE(actual.weights.cpu().equal(expected.weights));
      EXPECT_TRUE(actual.counts.equal(expected.counts));
      EXPECT_TRUE(actual.sizes.equal(expected.sizes));
      EXPECT_EQ(actual.num_boxes_global, expected.num_boxes_global);
      loader->release(batch, on_device->reusable());
    }
  }
}

// The copy stream must not overtake kernels that still read the slot of two feeds ago, and slabs
// must not be filled again before they were copied.
TEST_F(DetectionFeederTwinTest, ABatchStaysWhileItsStepIsUnderWay) {
  const at::Tensor heavy =
      at::empty({4096, 4096}, at::TensorOptions(at::kFloat).device(at::kCUDA, 0)).fill_(1e-4);
  const auto loader = data::make_loader(dataset_, backend(), loading(true, 2));
  const auto on_host = host_feeder();
  const auto on_device = device_feeder();
  std::vector<at::Tensor> sums;
  std::vector<double> expected;
  while (const data::Batch* batch = loader->next()) {
    const DetectionDeviceBatch host = on_host->feed(*batch);
    expected.push_back((host.images.sum(at::kDouble) + host.boxes.sum(at::kDouble)).item<double>());
    const DetectionDeviceBatch fed = on_device->feed(*batch);
    for (int i = 0; i < 4; ++i) at::matmul(heavy, heavy);  // keeps the compute stream busy
    sums.push_back(fed.images.sum(at::kDouble) + fed.boxes.sum(at::kDouble));
    loader->release(batch, on_device->reusable());
  }
  for (std::size_t step = 0; step < sums.size(); ++step) {
    EXPECT_NEAR(sums[step].item<double>(), expected[step], 0.1) << "step " << step;
  }
}

}  // namespace
}  // namespace lockstep::augment
