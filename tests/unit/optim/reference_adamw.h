// AdamW written down once more, in double and tensor by tensor, to compare the fused passes with.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

namespace lockstep::optim::test {

struct ReferenceAdamw {
  explicit ReferenceAdamw(const at::Tensor& start)
      : p(start.detach().to(at::kDouble).clone()), m(at::zeros_like(p)), v(at::zeros_like(p)) {}

  void step(const at::Tensor& gradient, double lr, double weight_decay) {
    const at::Tensor g = gradient.to(at::kDouble);
    ++t;
    p.mul_(1.0 - lr * weight_decay);
    m.mul_(beta1).add_(g, 1.0 - beta1);
    v.mul_(beta2).addcmul_(g, g, 1.0 - beta2);
    const at::Tensor corrected = v / (1.0 - std::pow(beta2, t));
    p.sub_(lr / (1.0 - std::pow(beta1, t)) * m / (corrected.sqrt() + eps));
  }

  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double t = 0;
  at::Tensor p;
  at::Tensor m;
  at::Tensor v;
};

}  // namespace lockstep::optim::test
