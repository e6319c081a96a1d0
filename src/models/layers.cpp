// Small layers. They know their own parameters and nothing of each other.
#include "models/layers.h"

#include "models/call.h"

#include <ATen/ops/full.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cmath>

namespace lockstep::models {
namespace {

constexpr double kLinearStd = 0.02;
constexpr double kNormEps = 1e-6;

}  // namespace

Linear::Linear(std::int64_t inputs, std::int64_t outputs, Initializer& init)
    : weight_(register_parameter("weight", init.normal({outputs, inputs}, kLinearStd))),
      bias_(register_parameter("bias", at::zeros({outputs}))) {}

at::Tensor Linear::forward(const at::Tensor& x) const { return at::linear(x, weight_, bias_); }

LayerNorm::LayerNorm(std::int64_t width)
    : weight_(register_parameter("weight", at::ones({width}))),
      bias_(register_parameter("bias", at::zeros({width}))) {}

at::Tensor LayerNorm::forward(const at::Tensor& x) const {
  return at::layer_norm(x, weight_.sizes(), weight_, bias_, kNormEps);
}

LayerScale::LayerScale(std::int64_t width, double first_value)
    : gamma_(register_parameter("gamma", at::full({width}, first_value, at::kFloat))) {}

at::Tensor LayerScale::forward(const at::Tensor& x) const { return x * gamma_; }

PatchProjection::PatchProjection(std::int64_t channels,
                                 std::int64_t patch_size,
                                 std::int64_t outputs,
                                 Initializer& init)
    : patch_size_(patch_size) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(channels * patch_size * patch_size));
  weight_ = register_parameter("weight",
                               init.uniform({outputs, channels, patch_size, patch_size}, bound));
  bias_ = register_parameter("bias", init.uniform({outputs}, bound));
}

at::Tensor PatchProjection::forward(const at::Tensor& images) const {
  const std::int64_t batch = images.size(0);
  const std::int64_t channels = images.size(1);
  const std::int64_t grid = images.size(2) / patch_size_;
  const at::Tensor patches =  // (B, g*g, C*p*p)
      images.reshape({batch, channels, grid, patch_size_, grid, patch_size_})
          .permute({0, 2, 4, 1, 3, 5})
          .reshape({batch, grid * grid, channels * patch_size_ * patch_size_});
  return at::linear(patches, weight_.flatten(1), bias_);
}

PatchEmbed::PatchEmbed(std::int64_t channels,
                       std::int64_t patch_size,
                       std::int64_t outputs,
                       Initializer& init)
    : proj_(register_module(
          "proj", std::make_shared<PatchProjection>(channels, patch_size, outputs, init))) {}

at::Tensor PatchEmbed::forward(const at::Tensor& images) const {
  return call("proj", *proj_, images);
}

}  // namespace lockstep::models
