// Gradients as 16-bit floats on their way between ranks. What rounding takes from a step's gradient
// is added to the next one's (error feedback; Seide et al. 2014, "1-Bit Stochastic Gradient
// Descent", section 3), so that it does not add up over steps.
#pragma once

#include <lockstep/comm/world.h>
#include <lockstep/optim/arena.h>

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace lockstep::parallel {

// Stream: everything runs on the compute stream.
class Wire {
 public:
  // `type` is kF16 or kBF16. Collective: allocates from the world.
  Wire(comm::World& world, optim::Arena& arena, comm::DType type);

  comm::DType type() const { return type_; }
  // Rounds gradients [begin, end) and what is left over of them; the memory to reduce.
  void* pack(std::int64_t begin, std::int64_t end);
  // Sums [begin, end) back into the gradients.
  void unpack(std::int64_t begin, std::int64_t end);

 private:
  optim::Arena& arena_;
  comm::DType type_;
  at::Tensor rounded_;    // (total) of type_
  at::Tensor left_over_;  // (total) fp32
};

}  // namespace lockstep::parallel
