#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/optim/arena.h>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include <memory>
#include <utility>

namespace lockstep::optim {
namespace {

void check_parameter(const NamedParameter& parameter) {
  const at::Tensor& tensor = parameter.tensor;
  const bool usable = tensor.defined() && tensor.is_leaf() && tensor.requires_grad() &&
                      tensor.layout() == at::kStrided && tensor.scalar_type() == at::kFloat;
  if (!usable) {
    throw config_error(
        format("parameter {} is not a dense float32 leaf that requires a gradient; convert it or "
               "switch its gradient off before training",
               parameter.name));
  }
}

at::Tensor view_of(const at::Tensor& arena, std::int64_t offset, const at::Tensor& like) {
  return arena.narrow(0, offset, like.numel()).view(like.sizes());
}

void check_layout(const std::vector<NamedParameter>& parameters, const Layout& layout) {
  LOCKSTEP_CHECK(!parameters.empty(), "an arena needs at least one parameter");
  LOCKSTEP_CHECK(layout.offset.size() == parameters.size(), "one offset a parameter");
  LOCKSTEP_CHECK(layout.stats_offset >= 0 && layout.stats_offset + kNumStats <= layout.total,
                 "the stats slots lie inside the arena");
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::int64_t begin = layout.offset[i];
    LOCKSTEP_CHECK(begin >= 0 && begin % kAlignElements == 0 &&
                       begin + parameters[i].tensor.numel() <= layout.stats_offset,
                   "every parameter lies aligned and before the stats slots");
  }
}

}  // namespace

at::Tensor collective_zeros(comm::World& world,
                            std::int64_t elements,
                            at::ScalarType type,
                            const at::Device& device) {
  const at::TensorOptions options(type);
  if (!device.is_cpu()) return at::zeros({elements}, options.device(device));
  const std::size_t size_bytes = static_cast<std::size_t>(elements) * c10::elementSize(type);
  std::shared_ptr<comm::Memory> memory = world.allocate(size_bytes);
  void* const data = memory->data();
  return at::from_blob(
      data, {elements}, [memory](void*) mutable { memory.reset(); }, options);
}

Arena::Arena(comm::World& world,
             std::vector<NamedParameter> parameters,
             const Layout& layout,
             const at::Device& device)
    : named_(std::move(parameters)), layout_(layout) {
  comm::agree(world, [this] {
    for (const NamedParameter& parameter : named_) check_parameter(parameter);
    check_layout(named_, layout_);
  });
  const at::NoGradGuard no_grad;
  parameters_ = collective_zeros(world, layout_.total, at::kFloat, device);
  gradients_ = collective_zeros(world, layout_.total, at::kFloat, device);
  for (std::size_t i = 0; i < named_.size(); ++i) {
    at::Tensor& tensor = named_[i].tensor;
    const at::Tensor value = view_of(parameters_, layout_.offset[i], tensor);
    value.copy_(tensor);
    // An old gradient may lie on the device that the parameter is about to leave.
    tensor.mutable_grad().reset();
    tensor.set_data(value);
    tensor.mutable_grad() = view_of(gradients_, layout_.offset[i], tensor);
  }
}

at::Tensor Arena::stats() { return gradients_.narrow(0, layout_.stats_offset, kNumStats); }

void Arena::check_views() const {
  const float* const values = parameters_.const_data_ptr<float>();
  const float* const gradients = gradients_.const_data_ptr<float>();
  for (std::size_t i = 0; i < named_.size(); ++i) {
    const at::Tensor& tensor = named_[i].tensor;
    const at::Tensor& gradient = tensor.grad();
    if (!gradient.defined() || gradient.const_data_ptr() != gradients + layout_.offset[i]) {
      throw internal_error(
          format("the gradient of {} was replaced (zero_grad() or a change of device does that); "
                 "leave zeroing to the optimizer's update()",
                 named_[i].name));
    }
    if (tensor.const_data_ptr() != values + layout_.offset[i]) {
      throw internal_error(
          format("the data of {} was replaced after training was set up; copy into it instead",
                 named_[i].name));
    }
  }
}

}  // namespace lockstep::optim
