#include "wire.h"

#include <lockstep/base/error.h>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>

namespace lockstep::parallel {
namespace {

at::ScalarType scalar_type(comm::DType type) {
  LOCKSTEP_CHECK(type == comm::DType::kF16 || type == comm::DType::kBF16,
                 "a wire type has 16 bits");
  return type == comm::DType::kF16 ? at::kHalf : at::kBFloat16;
}

}  // namespace

Wire::Wire(comm::World& world, optim::Arena& arena, comm::DType type)
    : arena_(arena),
      type_(type),
      rounded_(
          optim::collective_zeros(world, arena.layout().total, scalar_type(type), arena.device())),
      left_over_(at::zeros_like(arena.gradients())) {}

void* Wire::pack(std::int64_t begin, std::int64_t end) {
  const at::NoGradGuard no_grad;
  at::Tensor rounded = rounded_.narrow(0, begin, end - begin);
  at::Tensor left_over = left_over_.narrow(0, begin, end - begin);
  left_over.add_(arena_.gradients().narrow(0, begin, end - begin));
  rounded.copy_(left_over);
  left_over.sub_(rounded);
  // A gradient that is not finite, or too large for fp16, makes all ranks skip the step; it must
  // not stay for the steps after.
  left_over.nan_to_num_(0, 0, 0);
  return rounded.data_ptr();
}

void Wire::unpack(std::int64_t begin, std::int64_t end) {
  const at::NoGradGuard no_grad;
  arena_.gradients().narrow(0, begin, end - begin).copy_(rounded_.narrow(0, begin, end - begin));
}

}  // namespace lockstep::parallel
