#include "adamw_state.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstddef>

namespace lockstep::optim {
namespace {

UpdateSettings settings_of(const Options& options, const PrecisionOptions& precision) {
  UpdateSettings settings{};
  settings.beta1 = options.beta1;
  settings.beta2 = options.beta2;
  settings.eps = options.eps;
  settings.clip_norm = options.clip_norm;
  settings.growth_steps = precision.scale_growth_steps;
  settings.scaling = precision.compute == "fp16" ? 1 : 0;
  return settings;
}

// One field of the block as a tensor of one element.
at::Tensor field(const at::Tensor& block, std::size_t offset, at::ScalarType type) {
  const auto size = static_cast<std::int64_t>(c10::elementSize(type));
  return block.narrow(0, static_cast<std::int64_t>(offset), size).view(type);
}

}  // namespace

AdamwState::AdamwState(Arena& arena_in, const Options& options, const PrecisionOptions& precision)
    : arena(arena_in),
      settings(settings_of(options, precision)),
      segments(plan_segments(arena_in, options.weight_decay)) {
  const at::TensorOptions on_device = at::TensorOptions().device(arena.device());
  first = at::zeros({arena.layout().total}, on_device.dtype(at::kFloat));
  second = at::zeros({arena.layout().total}, on_device.dtype(at::kFloat));
  block = at::zeros({static_cast<std::int64_t>(sizeof(UpdateBlock))}, on_device.dtype(at::kByte));
  constexpr std::size_t kState = offsetof(UpdateBlock, state);
  loss_scale = field(block, kState + offsetof(UpdateState, loss_scale), at::kFloat).select(0, 0);
  loss_scale.fill_(settings.scaling != 0 ? precision.loss_scale : 1.0);
}

std::vector<NamedParameter> AdamwState::named() const {
  std::vector<NamedParameter> out;
  const std::vector<NamedParameter>& parameters = arena.named();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const at::Tensor& like = parameters[i].tensor;
    const std::int64_t offset = arena.layout().offset[i];
    const auto view = [&](const at::Tensor& flat) {
      return flat.narrow(0, offset, like.numel()).view(like.sizes());
    };
    out.push_back({"exp_avg/" + parameters[i].name, view(first)});
    out.push_back({"exp_avg_sq/" + parameters[i].name, view(second)});
  }
  constexpr std::size_t kState = offsetof(UpdateBlock, state);
  out.push_back({"optim/steps", field(block, kState + offsetof(UpdateState, steps), at::kLong)});
  out.push_back(
      {"scaler/clean_steps", field(block, kState + offsetof(UpdateState, clean_steps), at::kLong)});
  out.push_back(
      {"scaler/loss_scale", field(block, kState + offsetof(UpdateState, loss_scale), at::kFloat)});
  return out;
}

std::int64_t AdamwState::norm_end(std::int64_t end) const {
  return std::min(end, arena.layout().stats_offset);
}

}  // namespace lockstep::optim
