// Loss of classification.
#include <lockstep/base/error.h>
#include <lockstep/models/classification.h>

#include <ATen/core/Reduction.h>
#include <ATen/ops/cross_entropy_loss.h>

namespace lockstep::models {
namespace {

constexpr std::int64_t kIgnoreNothing = -100;

// (B), each sample by itself.
at::Tensor each_sample(const at::Tensor& logits, const at::Tensor& labels, double label_smoothing) {
  return at::cross_entropy_loss(
      logits, labels, {}, at::Reduction::None, kIgnoreNothing, label_smoothing);
}

at::Tensor at_least_float(const at::Tensor& logits) {
  return logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
}

ClassificationLoss weigh(const at::Tensor& each, const at::Tensor& weights, double normaliser) {
  LOCKSTEP_CHECK(normaliser > 0, "the global step must have a real sample");
  const at::Tensor sum = (each * weights).sum();
  return {sum / normaliser, sum.detach()};
}

}  // namespace

ClassificationLoss cross_entropy(const at::Tensor& logits,
                                 const at::Tensor& labels,
                                 const at::Tensor& weights,
                                 double normaliser,
                                 double label_smoothing) {
  return weigh(each_sample(at_least_float(logits), labels, label_smoothing), weights, normaliser);
}

ClassificationLoss mixed_cross_entropy(const at::Tensor& logits,
                                       const at::Tensor& labels,
                                       const at::Tensor& labels_b,
                                       const at::Tensor& lambda,
                                       const at::Tensor& weights,
                                       double normaliser,
                                       double label_smoothing) {
  const at::Tensor precise = at_least_float(logits);  // (B, K)
  const at::Tensor own = each_sample(precise, labels, label_smoothing);
  const at::Tensor other = each_sample(precise, labels_b, label_smoothing);
  return weigh(lambda * own + (1 - lambda) * other, weights, normaliser);
}

}  // namespace lockstep::models
