#include <lockstep/optim/optimizer.h>
#include <lockstep/optim/patterns.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>
#include <string_view>

namespace lockstep::optim {
namespace {

constexpr std::array<std::string_view, 4> kTokens = {
    "cls_token", "pos_embed", "reg_token", "dist_token"};

bool is_token(const std::string& name) {
  return std::ranges::any_of(kTokens, [&](std::string_view end) { return name.ends_with(end); });
}

// One-dimensional parameters are norms and biases.
bool decays(const NamedParameter& parameter) {
  return parameter.tensor.dim() > 1 && !is_token(parameter.name);
}

// k of blocks.k.*.
std::optional<std::int64_t> block_of(const std::string& name) {
  constexpr std::string_view kBlocks = "blocks.";
  if (!name.starts_with(kBlocks)) return std::nullopt;
  std::int64_t block = 0;
  const auto result =
      std::from_chars(name.data() + kBlocks.size(), name.data() + name.size(), block);
  return result.ec == std::errc{} ? std::optional(block) : std::nullopt;
}

// Layers below the head, as timm's param_groups_layer_decay counts them for its ViT: the stem and
// its tokens, then the blocks, the norm with the last of them.
std::int64_t depth_below_head(const std::string& name, std::int64_t num_blocks) {
  if (const auto block = block_of(name)) return num_blocks - *block;
  if (is_token(name) || name.starts_with("patch_embed.")) return num_blocks + 1;
  return name.starts_with("norm.") ? 1 : 0;
}

using Factors = std::vector<std::pair<std::string, double>>;

Factors checked_factors(const std::string& key,
                        const std::string& text,
                        const std::vector<std::string>& names) {
  Factors factors = parse_factors(key, text);
  for (const auto& [pattern, factor] : factors) require_match(key, pattern, names);
  return factors;
}

// Of the last pattern that matches.
std::optional<double> factor_for(const Factors& factors, const std::string& name) {
  const auto fits = [&](const auto& entry) { return matches(entry.first, name); };
  const auto found = std::find_if(factors.rbegin(), factors.rend(), fits);
  return found == factors.rend() ? std::nullopt : std::optional(found->second);
}

// Factors of one parameter by its name.
class FactorRule {
 public:
  FactorRule(const std::vector<NamedParameter>& parameters, const Options& options)
      : weight_decay_(options.weight_decay), layer_decay_(options.layer_decay) {
    std::vector<std::string> names;
    for (const NamedParameter& parameter : parameters) {
      names.push_back(parameter.name);
      num_blocks_ = std::max(num_blocks_, block_of(parameter.name).value_or(-1) + 1);
    }
    lr_ = checked_factors("optim.lr_factors", options.lr_factors, names);
    decay_ = checked_factors("optim.decay_factors", options.decay_factors, names);
  }

  float lr(const std::string& name) const {
    const auto layers = static_cast<double>(depth_below_head(name, num_blocks_));
    return static_cast<float>(std::pow(layer_decay_, layers) * factor_for(lr_, name).value_or(1));
  }
  float weight_decay(const NamedParameter& parameter) const {
    const double usual = decays(parameter) ? 1.0 : 0.0;
    return static_cast<float>(weight_decay_ * factor_for(decay_, parameter.name).value_or(usual));
  }

 private:
  double weight_decay_;
  double layer_decay_;
  std::int64_t num_blocks_ = 0;
  Factors lr_;
  Factors decay_;
};

}  // namespace

std::vector<Segment> plan_segments(const Arena& arena, const Options& options) {
  const std::vector<NamedParameter>& named = arena.named();
  const std::vector<std::int64_t>& offset = arena.layout().offset;
  const FactorRule rule(named, options);
  std::vector<std::size_t> order(named.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return offset[a] < offset[b];
  });
  std::vector<Segment> segments;
  for (const std::size_t i : order) {
    const float lr = rule.lr(named[i].name);
    const float decay = rule.weight_decay(named[i]);
    const std::int64_t end = offset[i] + named[i].tensor.numel();
    if (!segments.empty() && segments.back().weight_decay == decay &&
        segments.back().lr_factor == lr) {
      segments.back().count = end - segments.back().offset;  // the padding between holds zeros
    } else {
      segments.push_back({offset[i], end - offset[i], lr, decay});
    }
  }
  return segments;
}

}  // namespace lockstep::optim
