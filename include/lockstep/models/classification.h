// Loss and counts of classification.
#pragma once

#include <ATen/core/Tensor.h>

namespace lockstep::models {

struct ClassificationLoss {
  at::Tensor loss;      // scalar: sum_i w_i * ce_i / normaliser, with label smoothing inside ce
  at::Tensor loss_sum;  // scalar, detached: sum_i w_i * ce_i
};

// logits (B, K), labels (B) i64, weights (B) 0 or 1. `normaliser` is the number of real samples of
// the whole global step (all ranks and micro-batches), so that gradients simply add up.
ClassificationLoss cross_entropy(const at::Tensor& logits,
                                 const at::Tensor& labels,
                                 const at::Tensor& weights,
                                 double normaliser,
                                 double label_smoothing);

// Two labels a sample (MixUp, CutMix): the share lambda_i of the loss is that of labels, the rest
// that of labels_b; equal to the loss against targets mixed in these shares, label smoothing
// included. labels_b (B) i64, lambda (B) f32.
ClassificationLoss mixed_cross_entropy(const at::Tensor& logits,
                                       const at::Tensor& labels,
                                       const at::Tensor& labels_b,
                                       const at::Tensor& lambda,
                                       const at::Tensor& weights,
                                       double normaliser,
                                       double label_smoothing);

}  // namespace lockstep::models
