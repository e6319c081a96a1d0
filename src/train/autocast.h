// Mixed precision of forward: LibTorch's autocast switched on for a scope.
#pragma once

#include <c10/core/DeviceType.h>

#include <string>

namespace lockstep::train {

// `compute` is fp32 (nothing happens), bf16 or fp16. Casts of weights are cached inside the scope
// and dropped at its end, so that the next forward sees updated weights.
class AutocastScope {
 public:
  AutocastScope(const std::string& compute, c10::DeviceType device);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  c10::DeviceType device_;
  bool on_;
};

}  // namespace lockstep::train
