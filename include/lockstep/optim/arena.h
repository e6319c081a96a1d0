// The flat arenas: all parameters in one tensor and all gradients in another, in an order that is
// fixed once. Parameters and gradients of the module become views into them.
#pragma once

#include <lockstep/comm/world.h>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::optim {

// Where each parameter lies, in elements. Made by parallel::plan_buckets (pure), so that buckets
// are contiguous and padded. Padding holds zeros, and zero gradients keep it so.
struct Layout {
  std::vector<std::int64_t> offset;  // by parameter, in the caller's parameter order
  std::int64_t total = 0;            // elements of the arena, padding and stats slots included
  std::int64_t stats_offset = 0;     // kNumStats fp32 slots at the end of the last bucket
};
// Slots that travel with the last gradient bucket: loss sum, samples that were wrong, bad flag, …
inline constexpr std::int64_t kNumStats = 32;
// Every parameter starts at a multiple of this: 128 bytes, whole cache lines for vector loads.
inline constexpr std::int64_t kAlignElements = 32;

// (elements) of `type`, zeroed, where collectives like it best: on the host memory of the World,
// which must outlive it. Collective: allocates from the World.
at::Tensor collective_zeros(comm::World& world,
                            std::int64_t elements,
                            at::ScalarType type,
                            const at::Device& device);

struct NamedParameter {
  std::string name;
  at::Tensor tensor;  // fp32 leaf
};

// Requires: the World outlives the arena and the parameters; nobody replaces `.grad` or `.data` of
// a parameter (zero_grad(set_to_none) does; update() of the optimizer zeroes the gradients
// instead).
class Arena {
 public:
  // Moves the parameters' values in and re-points tensor and gradient of each at its view.
  // Throws: Error(kConfig) naming a parameter that is not a dense fp32 leaf.
  Arena(comm::World& world,
        std::vector<NamedParameter> parameters,
        const Layout& layout,
        const at::Device& device);

  at::Tensor& parameters() { return parameters_; }  // (total) fp32
  at::Tensor& gradients() { return gradients_; }    // (total) fp32
  at::Tensor stats();                               // (kNumStats) view into the gradients
  const std::vector<NamedParameter>& named() const { return named_; }
  const Layout& layout() const { return layout_; }
  at::Device device() const { return parameters_.device(); }
  // Throws: Error(kInternal) naming the parameter when its value or its gradient no longer lies in
  // the arena. Cheap enough for every step: compares pointers.
  void check_views() const;

 private:
  std::vector<NamedParameter> named_;
  Layout layout_;
  at::Tensor parameters_;  // keep their memory alive, also for views that outlive the arena
  at::Tensor gradients_;
};

}  // namespace lockstep::optim
