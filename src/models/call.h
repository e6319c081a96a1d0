// The one way in which a layer calls a child: the seam for spans, islands of fp32 and the probe for
// overflow (C++ modules have no forward hooks).
#pragma once

#include "models/part.h"

#include <lockstep/models/overflow_probe.h>

#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/record_function.h>

#include <array>
#include <type_traits>
#include <utility>

namespace lockstep::models {

// No autocast on this thread until destruction.
class PlainScope {
 public:
  PlainScope() {
    for (std::size_t i = 0; i < kDevices.size(); ++i) {
      before_[i] = at::autocast::is_autocast_enabled(kDevices[i]);
      at::autocast::set_autocast_enabled(kDevices[i], false);
    }
  }
  ~PlainScope() {
    for (std::size_t i = 0; i < kDevices.size(); ++i) {
      at::autocast::set_autocast_enabled(kDevices[i], before_[i]);
    }
  }
  PlainScope(const PlainScope&) = delete;
  PlainScope& operator=(const PlainScope&) = delete;

 private:
  static constexpr std::array kDevices = {at::kCPU, at::kCUDA};
  std::array<bool, 2> before_{};
};

// Half precision becomes fp32; all else is as it was.
template <class Input>
decltype(auto) widened(const Input& input) {
  if constexpr (std::is_same_v<Input, at::Tensor>) {
    const bool half = input.defined() &&
                      (input.scalar_type() == at::kHalf || input.scalar_type() == at::kBFloat16);
    return half ? input.to(at::kFloat) : input;
  } else {
    return (input);
  }
}

// The child's output. `name` is a string literal; it names the span of a trace and costs 24 ns
// while nobody traces.
template <class Module, class... Inputs>
at::Tensor call(const char* name, Module& module, Inputs&&... inputs) {
  RECORD_USER_SCOPE(name);
  const Part& part = module;
  at::Tensor output;
  if (part.in_fp32()) {
    const PlainScope plain;
    output = module.forward(widened(inputs)...);
  } else {
    output = module.forward(std::forward<Inputs>(inputs)...);
  }
  if (OverflowProbe* const probe = OverflowProbe::active()) {
    probe->watch("the output of " + part.place(), output);
  }
  return output;
}

}  // namespace lockstep::models
