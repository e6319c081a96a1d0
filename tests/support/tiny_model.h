// Small modules for tests of the reducer: layers in a chain, one of them shared, one unused.
#pragma once

#include <ATen/ops/randn.h>
#include <ATen/ops/tanh.h>
#include <torch/nn/module.h>

#include <string>
#include <vector>

namespace lockstep::test {

// y = tanh(... tanh(x W0) W1 ...) W_last. Drawn from torch's generator: seed it first.
struct TinyChain : torch::nn::Module {
  explicit TinyChain(const std::vector<std::int64_t>& widths) {
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
      weights.push_back(register_parameter("layer" + std::to_string(i) + "_weight",
                                           at::randn({widths[i], widths[i + 1]}) * 0.3));
      biases.push_back(
          register_parameter("layer" + std::to_string(i) + "_bias", at::zeros({widths[i + 1]})));
    }
  }
  // x: (B, widths[0])
  at::Tensor forward(at::Tensor x) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (i > 0) x = at::tanh(x);
      x = x.matmul(weights[i]) + biases[i];
    }
    return x;
  }

  std::vector<at::Tensor> weights;
  std::vector<at::Tensor> biases;
};

// The same square matrix twice under two names, one parameter that forward does not touch, one that
// wants no gradient.
struct SharedAndUnused : torch::nn::Module {
  SharedAndUnused() {
    first = register_parameter("first", at::randn({6, 6}));
    unused = register_parameter("unused", at::randn({5}));
    frozen = register_parameter("frozen", at::randn({6, 6}), /*requires_grad=*/false);
    register_parameter("again", first);
    last = register_parameter("last", at::randn({6, 3}));
  }
  at::Tensor forward(const at::Tensor& x) {
    return x.matmul(first).matmul(frozen).matmul(first).matmul(last);
  }

  at::Tensor first;
  at::Tensor unused;
  at::Tensor frozen;
  at::Tensor last;
};

}  // namespace lockstep::test
