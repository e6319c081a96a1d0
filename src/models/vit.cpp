// The Vision Transformer, from images to logits. B batch, C channels, S image side, N tokens, D
// width, K classes.
#include "models/block.h"
#include "models/call.h"
#include "models/init.h"
#include "models/layers.h"
#include "models/random_mask.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/models/recompute.h>
#include <lockstep/models/vit.h>

#include <ATen/ops/cat.h>

#include <string>
#include <vector>

namespace lockstep::models {
namespace {

// Places of random numbers: 0 is the dropout after the positions, blocks come next, stochastic
// depth stands far behind so that neither moves when the other changes.
constexpr std::int64_t kPositionSite = 0;
constexpr std::int64_t kFirstBlockSite = 1;
constexpr std::int64_t kDropPathSite = 1 << 16;

// 0 at the first block, `last` at the last, linear in between; each block has two branches.
std::vector<double> branch_rates(double last, std::int64_t depth) {
  std::vector<double> rates;
  for (std::int64_t i = 0; i < depth; ++i) {
    const double rate =
        depth > 1 ? last * static_cast<double>(i) / static_cast<double>(depth - 1) : 0.0;
    rates.insert(rates.end(), 2, rate);
  }
  return rates;
}

const Options& checked(const Options& options) {
  validate(options);
  return options;
}

}  // namespace

struct Vit::Parts {
  explicit Parts(const Options& given)
      : options(checked(given)), rates(branch_rates(given.drop_path, given.depth)) {}

  Options options;
  std::vector<double> rates;
  std::vector<std::string> places;
  RecomputePlan recompute;
  at::Tensor cls_token;  // (1, 1, D)
  at::Tensor pos_embed;  // (1, 1 + g*g, D)
  std::shared_ptr<PatchEmbed> patch_embed;
  std::vector<std::shared_ptr<Block>> blocks;
  std::shared_ptr<LayerNorm> norm;  // of every token ("norm") or of their mean ("fc_norm")
  std::shared_ptr<Linear> head;
};

Vit::Vit(const Options& options, std::uint64_t seed) : parts_(std::make_shared<Parts>(options)) {
  Parts& parts = *parts_;
  Initializer init(seed);
  const std::int64_t grid = options.image_size / options.patch_size;
  const std::int64_t width = options.dim;
  parts.cls_token = register_parameter("cls_token", init.normal({1, 1, width}, 1e-6));
  parts.pos_embed = register_parameter("pos_embed", init.normal({1, 1 + grid * grid, width}, 0.02));
  parts.patch_embed = register_module(
      "patch_embed",
      std::make_shared<PatchEmbed>(options.in_channels, options.patch_size, width, init));
  const auto blocks = register_module("blocks", std::make_shared<torch::nn::Module>("Blocks"));
  for (std::int64_t i = 0; i < options.depth; ++i) {
    const std::int64_t site = kFirstBlockSite + i * Block::kNumSites;
    parts.blocks.push_back(
        blocks->register_module(std::to_string(i), std::make_shared<Block>(options, site, init)));
  }
  parts.norm = register_module(options.pool == "avg" ? "fc_norm" : "norm",
                               std::make_shared<LayerNorm>(width));
  parts.head = register_module("head", std::make_shared<Linear>(width, options.num_classes, init));
  parts.places = name_parts(*this);
}

Vit::~Vit() = default;

const Options& Vit::options() const { return parts_->options; }

const std::vector<std::string>& Vit::part_places() const { return parts_->places; }

void Vit::set_fp32(const std::function<bool(const std::string& place)>& chosen) {
  choose_fp32(*this, chosen);
}

void Vit::set_recompute(const RecomputePlan& plan) {
  check_recompute(plan, parts_->options.depth);
  parts_->recompute = plan;
}

// x (B, N, D); keep (2 * depth, B, 1, 1) or undefined.
at::Tensor Vit::run_blocks(at::Tensor x,
                           const ForwardContext& context,
                           const at::Tensor& keep) const {
  const Parts& parts = *parts_;
  const RecomputePlan& plan = parts.recompute;
  const std::int64_t depth = parts.options.depth;
  const auto run_one = [&parts, context, keep](
                           const at::Tensor& in, std::int64_t i, const RecomputePlan& again) {
    const at::Tensor factors = keep.defined() ? keep.narrow(0, 2 * i, 2) : at::Tensor();
    return call("block", *parts.blocks[static_cast<std::size_t>(i)], in, context, factors, again);
  };
  // Backward begins with the end, which is therefore kept.
  const std::int64_t num_grouped = plan.every > 0 ? (depth - 1) / plan.every * plan.every : 0;
  for (std::int64_t begin = 0; begin < num_grouped; begin += plan.every) {
    const auto group = [run_one, begin, end = begin + plan.every](at::Tensor in) {
      for (std::int64_t i = begin; i < end; ++i) in = run_one(in, i, {});
      return in;
    };
    x = recompute(RecomputeOptions{.keep_random_state = false}, group, x);
  }
  RecomputePlan again = plan;
  for (std::int64_t i = num_grouped; i < depth; ++i) {
    if (i + 1 == depth) again.mlp = again.gelu = false;
    x = run_one(x, i, again);
  }
  return x;
}

at::Tensor Vit::forward(const at::Tensor& images, const ForwardContext& context) {
  const Parts& parts = *parts_;
  const Options& options = parts.options;
  LOCKSTEP_CHECK(images.dim() == 4 && images.size(1) == options.in_channels &&
                     images.size(2) == options.image_size && images.size(3) == options.image_size,
                 "images must be (B, in_channels, image_size, image_size)");
  const at::Tensor patches = call("patch_embed", *parts.patch_embed, images);  // (B, N-1, D)
  const at::Tensor token =
      parts.cls_token.expand({patches.size(0), -1, -1}).to(patches.scalar_type());
  at::Tensor x = at::cat({token, patches}, 1) + parts.pos_embed;  // (B, N, D)
  if (is_training()) x = dropout(x, options.dropout, context, kPositionSite);
  at::Tensor keep;  // (2 * depth, B, 1, 1)
  if (is_training() && options.drop_path > 0) {
    keep = drop_path_factors(context, parts.rates, kDropPathSite, images.device());
  }
  x = run_blocks(x, context, keep);
  // Norms act on each token by itself, so only the class token needs one.
  const at::Tensor pooled =  // (B, D)
      options.pool == "avg" ? x.narrow(1, 1, x.size(1) - 1).mean(1) : x.select(1, 0);
  return call("head", *parts.head, call("norm", *parts.norm, pooled));
}

}  // namespace lockstep::models
