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
  const at::Tensor& memory() const { return rounded_; }  // of which pack() returns parts
  // Scalars on the arena's device that the optimizer keeps up to date: updates applied so far (i64)
  // and the loss scale (fp32).
  void follow(at::Tensor updates, at::Tensor loss_scale);
  std::int64_t bytes() const {
    return static_cast<std::int64_t>(rounded_.nbytes() + left_over_.nbytes());
  }
  // What earlier steps left over.
  void forget();
  // Before the first pack() of a step: what the last step left over counts only if that step was
  // applied, and in the units of the new loss scale. No host read.
  void begin_step();
  // Rounds gradients [begin, end) and what is left over of them; the memory to reduce.
  void* pack(std::int64_t begin, std::int64_t end);
  // Sums [begin, end) back into the gradients.
  void unpack(std::int64_t begin, std::int64_t end);

 private:
  optim::Arena& arena_;
  comm::DType type_;
  at::Tensor rounded_;    // (total) of type_
  at::Tensor left_over_;  // (total) fp32
  // () each; undefined without follow().
  at::Tensor updates_, loss_scale_;
  at::Tensor last_updates_, last_scale_;  // as they were when the last step began
};

}  // namespace lockstep::parallel
