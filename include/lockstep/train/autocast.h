// Mixed precision of forward: LibTorch's autocast switched on for a scope, but for chosen layers.
#pragma once

#include <lockstep/models/vit.h>

#include <c10/core/DeviceType.h>
#include <c10/core/ScalarType.h>

#include <string>

namespace lockstep::train {

// `compute` is fp32 (nothing happens), bf16 or fp16. Casts of weights are cached inside the scope
// and dropped at the end of the outermost one, so that the next forward sees updated weights; the
// state before is then in force again.
// Thread: autocast is a state of the calling thread.
class AutocastScope {
 public:
  AutocastScope(const std::string& compute, c10::DeviceType device);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  c10::DeviceType device_;
  bool on_;
  bool before_on_ = false;
  c10::ScalarType before_type_ = c10::ScalarType::Undefined;
};

// Layers that match one of `globs` (precision.fp32_modules) compute in fp32 inside such a scope.
// Throws: Error(kConfig) naming a glob that matches no layer.
void keep_in_fp32(models::Vit& model, const std::string& globs);

}  // namespace lockstep::train
