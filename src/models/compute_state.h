// What of a thread's state decides the numbers of a forward pass: autocast, and torch's default
// generators. Taken before a block and put back while it runs again.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <c10/core/DeviceType.h>
#include <c10/core/ScalarType.h>

#include <array>
#include <vector>

namespace lockstep::models {

class ComputeState {
 public:
  // Of the calling thread, now; with the generators of the CPU and of the `inputs`' CUDA devices
  // when `with_generators`.
  ComputeState(bool with_generators, const std::vector<at::Tensor>& inputs);

  // The generators that have not moved since are not needed.
  void drop_idle_generators();

 private:
  struct Cast {
    c10::DeviceType device;
    bool enabled;
    c10::ScalarType type;
  };
  struct Drawn {
    at::Generator generator;
    at::Tensor state;  // bytes, on the CPU
  };

  friend class ComputeStateScope;
  ComputeState() = default;
  // The state now of the same generators.
  ComputeState now() const;
  void apply(bool casts) const;

  std::array<Cast, 2> casts_{};
  bool cache_ = true;
  std::vector<Drawn> drawn_;
};

// Puts a state in force until destruction, which brings back what was before. Casts that autocast
// caches meanwhile are dropped with the outermost autocast scope.
class ComputeStateScope {
 public:
  explicit ComputeStateScope(const ComputeState& state);
  ~ComputeStateScope();
  ComputeStateScope(const ComputeStateScope&) = delete;
  ComputeStateScope& operator=(const ComputeStateScope&) = delete;

 private:
  ComputeState before_;
  bool casts_;
};

}  // namespace lockstep::models
