#include "wire.h"

#include <lockstep/base/error.h>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <memory>

namespace lockstep::parallel {
namespace {

at::ScalarType scalar_type(comm::DType type) {
  LOCKSTEP_CHECK(type == comm::DType::kF16 || type == comm::DType::kBF16,
                 "a wire type has 16 bits");
  return type == comm::DType::kF16 ? at::kHalf : at::kBFloat16;
}

// Host memory comes from the World, so that collectives may reduce in it.
at::Tensor make_buffer(comm::World& world, const optim::Arena& arena, at::ScalarType type) {
  const std::int64_t total = arena.layout().total;
  const at::TensorOptions options(type);
  if (!arena.device().is_cpu()) return at::zeros({total}, options.device(arena.device()));
  std::shared_ptr<comm::Memory> memory =
      world.allocate(static_cast<std::size_t>(total) * sizeof(std::uint16_t));
  void* const data = memory->data();
  return at::from_blob(
      data, {total}, [memory](void*) mutable { memory.reset(); }, options);
}

}  // namespace

Wire::Wire(comm::World& world, optim::Arena& arena, comm::DType type)
    : arena_(arena),
      type_(type),
      rounded_(make_buffer(world, arena, scalar_type(type))),
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
