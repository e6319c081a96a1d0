#include "optimizer_state.h"

#include <lockstep/base/allocator.h>
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace lockstep::optim {
namespace {

UpdateSettings settings_of(const Options& options, const PrecisionOptions& precision) {
  UpdateSettings settings{};
  std::ranges::copy(betas_of(options), settings.betas);
  settings.eps = options.eps;
  settings.momentum = options.momentum;
  settings.dampening = options.dampening;
  settings.nesterov = options.nesterov ? 1 : 0;
  settings.clip_norm = options.clip_norm;
  settings.clip_value = options.clip_value;
  settings.ema_decay = options.ema_decay;
  settings.ema_warmup = options.ema_warmup ? 1 : 0;
  settings.skip_loss_z = options.skip_loss_z;
  settings.skip_norm_z = options.skip_norm_z;
  settings.growth_steps = precision.scale_growth_steps;
  settings.scale_growth = precision.scale_growth;
  settings.scale_backoff = precision.scale_backoff;
  settings.scaling = precision.compute == "fp16" ? 1 : 0;
  return settings;
}

// One field of the block as a tensor of one element.
at::Tensor field(const at::Tensor& block, std::size_t offset, at::ScalarType type) {
  const auto size = static_cast<std::int64_t>(c10::elementSize(type));
  return block.narrow(0, static_cast<std::int64_t>(offset), size).view(type);
}

Shard resolve(const Shard& shard, const Arena& arena) {
  if (shard.group == nullptr) return {{{0, arena.layout().total}}, nullptr, {}};
  LOCKSTEP_CHECK(shard.norms.numel() == shard.group->size(), "one norm a rank");
  for (const Range& range : shard.owned) {
    LOCKSTEP_CHECK(range.begin % kAlignElements == 0 && range.end % kAlignElements == 0,
                   "a shard's ranges are aligned");
  }
  return shard;
}

std::int64_t elements_of(const Shard& shard) {
  std::int64_t elements = 0;
  for (const Range& range : shard.owned) elements += range.end - range.begin;
  return elements;
}

// (elements) fp32 of the pass.
at::Tensor zeros_to_stream(std::int64_t elements, const at::Device& device) {
  const at::Tensor out = at::empty({elements}, at::TensorOptions(at::kFloat).device(device));
  if (device.is_cpu()) prefer_huge_pages(out.mutable_data_ptr(), out.nbytes());
  out.zero_();
  return out;
}

}  // namespace

std::vector<OwnedSegment> own_segments(const std::vector<Segment>& segments,
                                       const std::vector<Range>& owned) {
  std::vector<OwnedSegment> out;
  std::int64_t state = 0;  // of the range
  for (const Range& range : owned) {
    for (const Segment& segment : segments) {
      const std::int64_t begin = std::max(segment.offset, range.begin);
      const std::int64_t end = std::min(segment.offset + segment.count, range.end);
      if (begin >= end) continue;
      out.push_back({{begin, end - begin, segment.lr_factor, segment.weight_decay},
                     state + begin - range.begin});
    }
    state += range.end - range.begin;
  }
  return out;
}

UpdateReport report_of(const UpdateOutcome& outcome) {
  return {outcome.grad_norm,
          outcome.loss_scale,
          outcome.skip != Skip::kNone,
          outcome.skip == Skip::kSpike};
}

OptimizerState::OptimizerState(Arena& arena_in,
                               const Options& options,
                               const PrecisionOptions& precision,
                               const Shard& shard_in)
    : arena(arena_in),
      shard(resolve(shard_in, arena_in)),
      settings(settings_of(options, precision)),
      segments(own_segments(plan_segments(arena_in, options), shard.owned)),
      rows(plan_rows(arena_in, options)),
      description(describe(options)) {
  const at::TensorOptions on_device = at::TensorOptions().device(arena.device());
  for (std::size_t i = 0; i < description.state.size(); ++i) {
    slots.push_back(zeros_to_stream(elements_of(shard), arena.device()));
  }
  if (options.ema_decay > 0) {
    average = zeros_to_stream(elements_of(shard), arena.device());
    const at::Tensor first_values = arena.parameters().clone();
    swap_average();
    arena.parameters().copy_(first_values);
  }
  block = at::zeros({static_cast<std::int64_t>(sizeof(UpdateBlock))}, on_device.dtype(at::kByte));
  constexpr std::size_t kState = offsetof(UpdateBlock, state);
  loss_scale = field(block, kState + offsetof(UpdateState, loss_scale), at::kFloat).select(0, 0);
  loss_scale.fill_(settings.scaling != 0 ? precision.loss_scale : 1.0);
}

std::vector<NamedParameter> OptimizerState::named() const {
  std::vector<NamedParameter> out;
  const std::vector<NamedParameter>& parameters = arena.named();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const at::Tensor& like = parameters[i].tensor;
    const std::int64_t offset = arena.layout().offset[i];
    std::int64_t state = 0;  // of the range
    for (const Range& range : shard.owned) {
      const std::int64_t begin = std::max(offset, range.begin);
      const std::int64_t end = std::min(offset + like.numel(), range.end);
      const std::int64_t place = state + begin - range.begin;
      state += range.end - range.begin;
      if (begin >= end) continue;
      const bool whole = end - begin == like.numel();
      const std::string part = whole ? "" : format("[{}:{}]", begin - offset, end - offset);
      const auto view = [&](const at::Tensor& flat) {
        const at::Tensor owned = flat.narrow(0, place, end - begin);
        return whole ? owned.view(like.sizes()) : owned;
      };
      for (std::size_t slot = 0; slot < slots.size(); ++slot) {
        out.push_back({format("{}/{}{}", description.state[slot], parameters[i].name, part),
                       view(slots[slot])});
      }
      if (average.defined())
        out.push_back({format("ema/{}{}", parameters[i].name, part), view(average)});
    }
  }
  for (NamedParameter& scalar : scalars()) out.push_back(std::move(scalar));
  return out;
}

std::vector<NamedParameter> OptimizerState::scalars() const {
  std::vector<NamedParameter> out;
  constexpr std::size_t kState = offsetof(UpdateBlock, state);
  out.push_back({"optim/steps", field(block, kState + offsetof(UpdateState, steps), at::kLong)});
  out.push_back(
      {"scaler/clean_steps", field(block, kState + offsetof(UpdateState, clean_steps), at::kLong)});
  out.push_back(
      {"scaler/loss_scale", field(block, kState + offsetof(UpdateState, loss_scale), at::kFloat)});
  if (settings.skip_loss_z == 0 && settings.skip_norm_z == 0) return out;
  constexpr std::size_t kWindows = offsetof(UpdateBlock, windows);
  const auto window = [&](const char* name, std::size_t offset) {
    constexpr std::int64_t kBytes = kSpikeWindow * std::int64_t{sizeof(double)};
    const auto begin = static_cast<std::int64_t>(kWindows + offset);
    out.push_back({name, block.narrow(0, begin, kBytes).view(at::kDouble)});
  };
  window("guard/losses", offsetof(SpikeWindows, losses));
  window("guard/norms", offsetof(SpikeWindows, norms));
  out.push_back({"guard/count", field(block, kWindows + offsetof(SpikeWindows, count), at::kLong)});
  return out;
}

std::int64_t OptimizerState::bytes() const {
  const std::size_t arrays = slots.size() + (average.defined() ? 1 : 0);
  return static_cast<std::int64_t>(arrays) * elements_of(shard) * 4;
}

float* OptimizerState::average_at(std::int64_t at) {
  return average.defined() ? average.mutable_data_ptr<float>() + at : nullptr;
}

void OptimizerState::swap_average() {
  std::int64_t state = 0;
  for (const Range& range : shard.owned) {
    const std::int64_t count = range.end - range.begin;
    const at::Tensor values = arena.parameters().narrow(0, range.begin, count);
    const at::Tensor mean = average.narrow(0, state, count);
    const at::Tensor kept = values.clone();
    values.copy_(mean);
    mean.copy_(kept);
    state += count;
  }
}

std::array<float*, kMaxSlots> OptimizerState::slots_at(std::int64_t at) {
  std::array<float*, kMaxSlots> out{};
  for (std::size_t i = 0; i < slots.size(); ++i) out[i] = slots[i].mutable_data_ptr<float>() + at;
  return out;
}

std::int64_t OptimizerState::norm_end(std::int64_t end) const {
  return std::min(end, arena.layout().stats_offset);
}

void OptimizerState::gather_norms(gpu::StreamHandle stream) const {
  auto* const norms = static_cast<double*>(shard.norms.data_ptr());
  comm::Group& group = *shard.group;
  group.all_gather_async(norms + group.rank(), norms, 1, comm::DType::kF64, stream)->wait(stream);
}

}  // namespace lockstep::optim
