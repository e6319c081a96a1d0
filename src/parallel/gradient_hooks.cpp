#include "gradient_hooks.h"

#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <utility>

namespace lockstep::parallel {
namespace {

class CallbackHook final : public torch::autograd::FunctionPostHook {
 public:
  CallbackHook(std::function<void(std::size_t)> callback, std::size_t index)
      : callback_(std::move(callback)), index_(index) {}

  torch::autograd::variable_list operator()(
      const torch::autograd::variable_list& outputs,
      const torch::autograd::variable_list& /*inputs*/) override {
    callback_(index_);
    return outputs;
  }

 private:
  std::function<void(std::size_t)> callback_;
  std::size_t index_;
};

}  // namespace

GradientHooks::GradientHooks(const std::vector<optim::NamedParameter>& parameters,
                             const std::function<void(std::size_t index)>& callback) {
  hooked_.reserve(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    auto accumulator = torch::autograd::impl::grad_accumulator(parameters[i].tensor);
    const std::uintptr_t key =
        accumulator->add_post_hook(std::make_unique<CallbackHook>(callback, i));
    hooked_.push_back({std::move(accumulator), key});
  }
}

GradientHooks::~GradientHooks() {
  for (const Hooked& hooked : hooked_) hooked.accumulator->del_post_hook(hooked.key);
}

}  // namespace lockstep::parallel
