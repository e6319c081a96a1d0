#include "wire.h"

#include <lockstep/base/error.h>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros_like.h>

#include <utility>

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

void Wire::follow(at::Tensor updates, at::Tensor loss_scale) {
  updates_ = std::move(updates);
  loss_scale_ = std::move(loss_scale);
  last_updates_ = updates_.clone();
  last_scale_ = loss_scale_.clone();
}

void Wire::forget() { left_over_.zero_(); }

void Wire::begin_step() {
  if (!updates_.defined()) return;
  const at::NoGradGuard no_grad;
  left_over_.mul_((updates_ - last_updates_) * (loss_scale_ / last_scale_));
  last_updates_.copy_(updates_);
  last_scale_.copy_(loss_scale_);
}

void* Wire::pack(std::int64_t begin, std::int64_t end) {
  const at::NoGradGuard no_grad;
  at::Tensor rounded = rounded_.narrow(0, begin, end - begin);
  at::Tensor left_over = left_over_.narrow(0, begin, end - begin);
  left_over.add_(arena_.gradients().narrow(0, begin, end - begin));
  rounded.copy_(left_over);
  left_over.sub_(rounded);
  // A gradient that is not finite, or too large for fp16, makes all ranks skip the step; zero times
  // it would not be zero in begin_step().
  left_over.nan_to_num_(0, 0, 0);
  return rounded.data_ptr();
}

void Wire::unpack(std::int64_t begin, std::int64_t end) {
  const at::NoGradGuard no_grad;
  arena_.gradients().narrow(0, begin, end - begin).copy_(rounded_.narrow(0, begin, end - begin));
}

}  // namespace lockstep::parallel
