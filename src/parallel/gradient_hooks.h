// A callback each time autograd has added to one parameter's gradient. Knows nothing of buckets.
#pragma once

#include <lockstep/optim/arena.h>

#include <torch/csrc/autograd/function.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace lockstep::parallel {

// Hooks on the gradient accumulators of parameters, taken off again at the end. Between two
// backward passes autograd keeps accumulators by weak references only: this keeps them alive.
// Thread: the callback runs on the thread that does the backward pass. What it throws comes out of
// that backward().
class GradientHooks {
 public:
  // The callback receives the index into `parameters`.
  GradientHooks(const std::vector<optim::NamedParameter>& parameters,
                const std::function<void(std::size_t index)>& callback);
  ~GradientHooks();
  GradientHooks(const GradientHooks&) = delete;
  GradientHooks& operator=(const GradientHooks&) = delete;

 private:
  struct Hooked {
    std::shared_ptr<torch::autograd::Node> accumulator;
    std::uintptr_t key = 0;
  };
  std::vector<Hooked> hooked_;
};

}  // namespace lockstep::parallel
