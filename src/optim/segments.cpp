#include <lockstep/optim/optimizer.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>

namespace lockstep::optim {
namespace {

// One-dimensional parameters are norms and biases.
bool decays(const NamedParameter& parameter) {
  constexpr std::array<std::string_view, 4> kNoDecay = {
      "cls_token", "pos_embed", "reg_token", "dist_token"};
  const auto is_ending = [&](std::string_view end) { return parameter.name.ends_with(end); };
  return parameter.tensor.dim() > 1 && std::none_of(kNoDecay.begin(), kNoDecay.end(), is_ending);
}

}  // namespace

std::vector<Segment> plan_segments(const Arena& arena, double weight_decay) {
  const std::vector<NamedParameter>& named = arena.named();
  const std::vector<std::int64_t>& offset = arena.layout().offset;
  std::vector<std::size_t> order(named.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return offset[a] < offset[b];
  });
  std::vector<Segment> segments;
  for (const std::size_t i : order) {
    const float decay = decays(named[i]) ? static_cast<float>(weight_decay) : 0.0F;
    const std::int64_t end = offset[i] + named[i].tensor.numel();
    if (!segments.empty() && segments.back().weight_decay == decay) {
      segments.back().count = end - segments.back().offset;  // the padding between holds zeros
    } else {
      segments.push_back({offset[i], end - offset[i], 1.0F, decay});
    }
  }
  return segments;
}

}  // namespace lockstep::optim
