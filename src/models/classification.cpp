// Loss of classification.
#include <lockstep/base/error.h>
#include <lockstep/models/classification.h>

#include <ATen/core/Reduction.h>
#include <ATen/ops/cross_entropy_loss.h>

namespace lockstep::models {
namespace {

constexpr std::int64_t kIgnoreNothing = -100;

}  // namespace

ClassificationLoss cross_entropy(const at::Tensor& logits,
                                 const at::Tensor& labels,
                                 const at::Tensor& weights,
                                 double normaliser,
                                 double label_smoothing) {
  LOCKSTEP_CHECK(normaliser > 0, "the global step must have a real sample");
  const at::Tensor precise =
      logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);  // (B, K)
  const at::Tensor each = at::cross_entropy_loss(
      precise, labels, {}, at::Reduction::None, kIgnoreNothing, label_smoothing);  // (B)
  const at::Tensor sum = (each * weights).sum();
  return {sum / normaliser, sum.detach()};
}

}  // namespace lockstep::models
