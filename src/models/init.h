// First values of parameters: pure functions of (seed, position in the model), so that every rank
// draws the same ones with any number of threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace lockstep::models {

// Draws one parameter after the other; each gets its own Philox stream.
class Initializer {
 public:
  explicit Initializer(std::uint64_t seed) : seed_(seed) {}

  // Normal with mean 0 by Box and Muller (1958), no value beyond 6.8 `std`. This is timm's
  // truncated normal: its bounds of -2 and 2 stand 100 times `std` away.
  at::Tensor normal(at::IntArrayRef shape, double std);
  at::Tensor uniform(at::IntArrayRef shape, double bound);  // in (-bound, bound)

 private:
  std::uint64_t seed_;
  std::uint64_t next_stream_ = 0;
};

}  // namespace lockstep::models
