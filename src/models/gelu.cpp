// GELU as one autograd function. Knows nothing of the layers around it.
#include "models/gelu.h"

#include "models/gelu_kernel.h"

#include <lockstep/base/error.h>

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <torch/csrc/autograd/custom_function.h>

namespace lockstep::models {
namespace {

constexpr std::int64_t kGrain = 1 << 14;

struct GeluWithSlope : torch::autograd::Function<GeluWithSlope> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x) {
    at::Tensor y = at::empty_like(x);
    at::Tensor slope = at::empty_like(x);
    const float* in = x.const_data_ptr<float>();
    float* out = y.mutable_data_ptr<float>();
    float* out_slope = slope.mutable_data_ptr<float>();
    at::parallel_for(0, x.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      gelu_with_slope(
          in + begin, out + begin, out_slope + begin, static_cast<std::size_t>(end - begin));
    });
    context->save_for_backward({slope});
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& grads) {
    LOCKSTEP_CHECK(!at::GradMode::is_enabled(), "the GELU of models is once differentiable");
    return {grads[0].contiguous() * context->get_saved_variables()[0]};
  }
};

}  // namespace

at::Tensor exact_gelu(const at::Tensor& x) {
  const bool fused = x.device().is_cpu() && x.scalar_type() == at::kFloat && x.is_contiguous() &&
                     x.requires_grad() && at::GradMode::is_enabled();
  return fused ? GeluWithSlope::apply(x) : at::gelu(x);
}

}  // namespace lockstep::models
