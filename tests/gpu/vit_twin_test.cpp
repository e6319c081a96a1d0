// The ViT on the device against the CPU: same weights, same images, same random masks.
#include "device_test.h"

#include <lockstep/models/classification.h>
#include <lockstep/models/vit.h>

#include <ATen/autocast_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>

namespace lockstep::models {
namespace {

constexpr std::int64_t kBatch = 8;

Options small() {
  Options options;
  options.image_size = 32;
  options.patch_size = 4;
  options.in_channels = 3;
  options.num_classes = 10;
  options.dim = 64;
  options.depth = 3;
  options.heads = 4;
  options.dropout = 0.1;
  options.drop_path = 0.2;
  options.layer_scale = 0.1;
  return options;
}

struct Pass {
  at::Tensor logits;
  double loss = 0;
  std::vector<std::pair<std::string, at::Tensor>> gradients;  // on the CPU
};

// Half precision by `half`; at::kFloat: none.
Pass run(const Options& options, at::Device device, at::ScalarType half) {
  Vit vit(options, 3);
  vit.to(device);
  const at::Tensor ids = at::arange(kBatch, at::kLong);
  const at::Tensor images =
      (at::arange(kBatch * 3 * 32 * 32, at::kFloat) * 0.37).sin().view({kBatch, 3, 32, 32});
  Pass pass;
  if (half != at::kFloat) {
    at::autocast::set_autocast_dtype(device.type(), half);
    at::autocast::set_autocast_enabled(device.type(), true);
  }
  pass.logits = vit.forward(images.to(device), {7, 5, ids});
  at::autocast::set_autocast_enabled(device.type(), false);
  at::autocast::clear_cache();
  const at::Tensor labels = (ids % options.num_classes).to(device);
  const at::Tensor weights = at::ones({kBatch}, at::TensorOptions(at::kFloat).device(device));
  const at::Tensor loss =
      cross_entropy(pass.logits, labels, weights, static_cast<double>(kBatch), 0.1).loss;
  loss.backward();
  pass.loss = loss.item<double>();
  pass.logits = pass.logits.detach().to(at::kCPU, at::kFloat);
  for (const auto& item : vit.named_parameters()) {
    pass.gradients.emplace_back(item.key(), item.value().grad().cpu());
  }
  return pass;
}

double relative(const at::Tensor& actual, const at::Tensor& expected) {
  const double scale = expected.norm().item<double>();
  return (actual - expected).norm().item<double>() / (scale + 1e-12);
}

class VitTwinTest : public test::DeviceTest {
 protected:
  void expect_twins(const Options& options) {
    const Pass expected = run(options, at::kCPU, at::kFloat);
    const Pass actual = run(options, at::Device(at::kCUDA, 0), at::kFloat);
    EXPECT_LT(relative(actual.logits, expected.logits), 2e-5);
    EXPECT_NEAR(actual.loss / expected.loss, 1.0, 1e-5);
    for (std::size_t i = 0; i < expected.gradients.size(); ++i) {
      const auto& [name, gradient] = expected.gradients[i];
      // A key's bias has no gradient but rounding: softmax does not see it. It lies in attn.qkv.
      EXPECT_LT(relative(actual.gradients[i].second, gradient), 5e-5) << name;
    }
  }
  // Half precision against fp32, both on the device.
  void expect_close(at::ScalarType half, double tolerance) {
    const Pass expected = run(small(), at::Device(at::kCUDA, 0), at::kFloat);
    const Pass actual = run(small(), at::Device(at::kCUDA, 0), half);
    EXPECT_LT(relative(actual.logits, expected.logits), tolerance);
    EXPECT_NEAR(actual.loss / expected.loss, 1.0, tolerance);
  }
};

TEST_F(VitTwinTest, ForwardAndGradientsEqualTheCpus) { expect_twins(small()); }

TEST_F(VitTwinTest, AlsoWithPooledTokensAndWithoutRandomness) {
  Options options = small();
  options.pool = "avg";
  options.dropout = options.drop_path = options.layer_scale = 0;
  expect_twins(options);
}

TEST_F(VitTwinTest, HalfPrecisionIsCloseToSingle) { expect_close(at::kHalf, 5e-3); }

TEST_F(VitTwinTest, Bfloat16IsCloseToSingleWhereTheDeviceHasIt) {
  if (!backend().info(0).has_bf16) GTEST_SKIP() << "the device has no bf16 arithmetic";
  expect_close(at::kBFloat16, 4e-2);
}

}  // namespace
}  // namespace lockstep::models
