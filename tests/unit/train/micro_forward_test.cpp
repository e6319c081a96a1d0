#include "train/micro_forward.h"

#include "tiny_run.h"

#include <ATen/ATen.h>

namespace lockstep::train {
namespace {

augment::DeviceBatch batch_of(std::int64_t images) {
  at::manual_seed(4);
  augment::DeviceBatch batch;
  batch.images = at::randn({images, 1, kSide, kSide});
  batch.labels = at::arange(images).remainder(kClasses);
  batch.weights = at::ones({images});
  batch.sample_ids = at::arange(images);
  return batch;
}

TEST(MicroForward, RunsUnderThePrecisionAsked) {
  TinyRun run;
  models::Vit model(run.settings.model, 1);
  const augment::DeviceBatch batch = batch_of(3);
  EXPECT_EQ(forward_model(model, run.settings, batch, 1).scalar_type(), at::kFloat);
  run.settings.precision.compute = "bf16";
  EXPECT_EQ(forward_model(model, run.settings, batch, 1).scalar_type(), at::kBFloat16);
}

TEST(MicroForward, MixesTheLossWhereInputsAreMixed) {
  TinyRun run;
  augment::DeviceBatch batch = batch_of(4);
  at::manual_seed(5);
  const at::Tensor logits = at::randn({4, kClasses});
  const double own = loss_of(run.settings, logits, batch, 4).loss.item<double>();
  batch.labels_b = at::zeros({4}, at::kLong);
  batch.lambda = at::ones({4});
  EXPECT_NEAR(loss_of(run.settings, logits, batch, 4).loss.item<double>(), own, 1e-6);
  batch.lambda = at::zeros({4});
  const double other = loss_of(run.settings, logits, batch, 4).loss.item<double>();
  batch.labels = batch.labels_b;
  batch.lambda = at::Tensor();
  EXPECT_NEAR(loss_of(run.settings, logits, batch, 4).loss.item<double>(), other, 1e-6);
  EXPECT_GT(std::abs(own - other), 1e-3);
}

TEST(MicroForward, PartsAreSlicesOfEveryTensor) {
  augment::DeviceBatch batch = batch_of(6);
  const augment::DeviceBatch part = part_of(batch, 1, 3);
  EXPECT_TRUE(part.images.equal(batch.images.narrow(0, 2, 2)));
  EXPECT_TRUE(part.images.is_contiguous());
  EXPECT_TRUE(part.labels.equal(batch.labels.narrow(0, 2, 2)));
  EXPECT_TRUE(part.weights.equal(batch.weights.narrow(0, 2, 2)));
  EXPECT_TRUE(part.sample_ids.equal(batch.sample_ids.narrow(0, 2, 2)));
  EXPECT_FALSE(part.lambda.defined());
}

}  // namespace
}  // namespace lockstep::train
