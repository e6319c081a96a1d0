#include "small_model.h"

#include <lockstep/models/classification.h>

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

namespace lockstep::models {
namespace {

TEST(Classification, EqualsTorchWithAndWithoutSmoothing) {
  at::manual_seed(2);
  const at::Tensor logits = at::randn({6, 10});
  const at::Tensor labels = at::randint(0, 10, {6}, at::kLong);
  for (const double smoothing : {0.0, 0.1}) {
    const double expected =
        at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, -100, smoothing)
            .item<double>();
    const auto result = cross_entropy(logits, labels, at::ones({6}), 6, smoothing);
    EXPECT_NEAR(result.loss.item<double>(), expected, 1e-6);
    EXPECT_NEAR(result.loss_sum.item<double>(), 6 * expected, 6e-6);
    EXPECT_FALSE(result.loss_sum.requires_grad());
  }
}

TEST(Classification, PaddingHasNeitherLossNorGradient) {
  at::manual_seed(2);
  const at::Tensor logits = at::randn({4, 3}).requires_grad_();
  const at::Tensor labels = at::tensor(std::vector<std::int64_t>{0, 1, 2, 0});
  const at::Tensor weights = at::tensor({1.F, 1.F, 0.F, 0.F});
  cross_entropy(logits, labels, weights, 2, 0).loss.backward();
  const at::Tensor gradient = logits.grad().clone();
  EXPECT_EQ(max_abs(gradient.narrow(0, 2, 2)), 0);
  const at::Tensor real = logits.detach().narrow(0, 0, 2).clone().requires_grad_();
  at::cross_entropy_loss(real, labels.narrow(0, 0, 2)).backward();
  EXPECT_LT(max_abs(gradient.narrow(0, 0, 2) - real.grad()), 1e-7);
}

// The same normaliser for both halves: micro-batches of 1 and 3 real samples add up to the batch.
TEST(Classification, PartsAddUpToTheWhole) {
  at::manual_seed(2);
  const at::Tensor logits = at::randn({4, 3});
  const at::Tensor labels = at::tensor(std::vector<std::int64_t>{0, 1, 2, 0});
  const at::Tensor ones = at::ones({4});
  const double whole = cross_entropy(logits, labels, ones, 4, 0.1).loss.item<double>();
  double sum = 0;
  for (const auto& [at, count] : {std::pair{0, 1}, std::pair{1, 3}}) {
    sum += cross_entropy(logits.narrow(0, at, count),
                         labels.narrow(0, at, count),
                         ones.narrow(0, at, count),
                         4,
                         0.1)
               .loss.item<double>();
  }
  EXPECT_NEAR(sum, whole, 1e-6);
}

// The soft targets that timm makes: on = 1 - s + s / K, off = s / K, mixed by lambda.
TEST(Classification, MixedLabelsEqualSoftTargets) {
  at::manual_seed(2);
  const at::Tensor logits = at::randn({5, 7}).requires_grad_();
  const at::Tensor labels = at::randint(0, 7, {5}, at::kLong);
  const at::Tensor labels_b = labels.flip(0);
  const at::Tensor lambda = at::tensor({0.3F, 1.F, 0.F, 0.75F, 0.5F});
  const at::Tensor weights = at::tensor({1.F, 1.F, 1.F, 1.F, 0.F});
  for (const double smoothing : {0.0, 0.1}) {
    const auto soft = [&](const at::Tensor& own) {
      const at::Tensor off = at::zeros({5, 7}) + smoothing / 7;
      return off.scatter(1, own.unsqueeze(1), 1 - smoothing + smoothing / 7);
    };
    const at::Tensor share = lambda.unsqueeze(1);
    const at::Tensor targets = share * soft(labels) + (1 - share) * soft(labels_b);
    const at::Tensor each = -(targets * logits.log_softmax(1)).sum(1);
    const at::Tensor expected = (each * weights).sum() / 4;
    const auto result =
        mixed_cross_entropy(logits, labels, labels_b, lambda, weights, 4, smoothing);
    EXPECT_NEAR(result.loss.item<double>(), expected.item<double>(), 1e-6);
    const at::Tensor gradient = torch::autograd::grad({result.loss}, {logits})[0];
    const at::Tensor wanted = torch::autograd::grad({expected}, {logits})[0];
    EXPECT_LT(max_abs(gradient - wanted), 1e-6);
  }
}

TEST(Classification, MixedWithItselfIsTheOrdinaryLoss) {
  at::manual_seed(2);
  const at::Tensor logits = at::randn({4, 3});
  const at::Tensor labels = at::tensor(std::vector<std::int64_t>{0, 1, 2, 0});
  const at::Tensor ones = at::ones({4});
  EXPECT_EQ(mixed_cross_entropy(logits, labels, labels, ones, ones, 4, 0.1).loss.item<float>(),
            cross_entropy(logits, labels, ones, 4, 0.1).loss.item<float>());
}

TEST(Classification, IsComputedInFp32) {
  const at::Tensor logits = at::randn({4, 3}).to(at::kBFloat16);
  const at::Tensor labels = at::zeros({4}, at::kLong);
  const auto result = cross_entropy(logits, labels, at::ones({4}), 4, 0);
  EXPECT_EQ(result.loss.scalar_type(), at::kFloat);
  const auto precise = cross_entropy(logits.to(at::kFloat), labels, at::ones({4}), 4, 0);
  EXPECT_EQ(result.loss.item<float>(), precise.loss.item<float>());
}

}  // namespace
}  // namespace lockstep::models
