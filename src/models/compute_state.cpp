#include "models/compute_state.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/autocast_mode.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

namespace lockstep::models {
namespace {

at::Tensor state_of(at::Generator& generator) {
  const std::lock_guard lock(generator.mutex());
  return generator.get_state();
}

}  // namespace

ComputeState::ComputeState(bool with_generators, const std::vector<at::Tensor>& inputs) {
  std::set<c10::DeviceIndex> devices;
  for (const at::Tensor& input : inputs) {
    if (with_generators && input.defined() && input.is_cuda()) devices.insert(input.get_device());
  }
  if (with_generators) drawn_.push_back({at::detail::getDefaultCPUGenerator(), {}});
  for (const c10::DeviceIndex index : devices) {
    drawn_.push_back({at::globalContext().defaultGenerator({at::kCUDA, index}), {}});
  }
  *this = now();
}

ComputeState ComputeState::now() const {
  ComputeState state;
  for (std::size_t i = 0; i < state.casts_.size(); ++i) {
    const c10::DeviceType device = i == 0 ? at::kCPU : at::kCUDA;
    state.casts_[i] = {device,
                       at::autocast::is_autocast_enabled(device),
                       at::autocast::get_autocast_dtype(device)};
  }
  state.cache_ = at::autocast::is_autocast_cache_enabled();
  for (Drawn drawn : drawn_) {
    drawn.state = state_of(drawn.generator);
    state.drawn_.push_back(std::move(drawn));
  }
  return state;
}

void ComputeState::drop_idle_generators() {
  std::erase_if(drawn_, [](Drawn& drawn) { return state_of(drawn.generator).equal(drawn.state); });
}

void ComputeState::apply(bool casts) const {
  for (const Cast& cast : casts_) {
    if (!casts) break;
    at::autocast::set_autocast_enabled(cast.device, cast.enabled);
    at::autocast::set_autocast_dtype(cast.device, cast.type);
  }
  if (casts) at::autocast::set_autocast_cache_enabled(cache_);
  for (Drawn drawn : drawn_) {
    const std::lock_guard lock(drawn.generator.mutex());
    drawn.generator.set_state(drawn.state);
  }
}

ComputeStateScope::ComputeStateScope(const ComputeState& state) : before_(state.now()) {
  const auto enabled = [](const auto& cast) { return cast.enabled; };
  casts_ =
      std::ranges::any_of(state.casts_, enabled) || std::ranges::any_of(before_.casts_, enabled);
  if (casts_) at::autocast::increment_nesting();
  state.apply(casts_);
}

ComputeStateScope::~ComputeStateScope() {
  before_.apply(casts_);
  if (casts_ && at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
}

}  // namespace lockstep::models
