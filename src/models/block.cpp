// A transformer block. Knows nothing of images, positions or the head.
#include "models/block.h"

#include "models/call.h"
#include "models/gelu.h"
#include "models/random_mask.h"

#include <lockstep/models/recompute.h>

#include <ATen/ops/scaled_dot_product_attention.h>

namespace lockstep::models {
namespace {

// Places of a block's random numbers, counted from its first.
constexpr std::int64_t kProjectionSite = 0;
constexpr std::int64_t kMlpSite = 1;  // and 2

// Random numbers are stateless here.
constexpr RecomputeOptions kStateless{.keep_random_state = false};

template <class Part>
at::Tensor call_part(bool again, const Part& part, const at::Tensor& x) {
  return again ? recompute(kStateless, part, x) : part(x);
}

}  // namespace

Attention::Attention(std::int64_t width, std::int64_t num_heads, Initializer& init)
    : num_heads_(num_heads),
      qkv_(register_module("qkv", std::make_shared<Linear>(width, 3 * width, init))),
      proj_(register_module("proj", std::make_shared<Linear>(width, width, init))) {}

at::Tensor Attention::forward(const at::Tensor& x) const {
  const std::int64_t batch = x.size(0);
  const std::int64_t tokens = x.size(1);
  const std::int64_t width = x.size(2);
  // Split before the heads are moved forward, so that the three gradients are stacked straight into
  // the layout that the product's backward reads.
  const auto parts = call("qkv", *qkv_, x)
                         .view({batch, tokens, 3, num_heads_, width / num_heads_})
                         .unbind(2);  // 3 x (B, N, H, D/H)
  const at::Tensor attended =         // (B, H, N, D/H)
      at::scaled_dot_product_attention(
          parts[0].transpose(1, 2), parts[1].transpose(1, 2), parts[2].transpose(1, 2));
  return call("proj", *proj_, attended.transpose(1, 2).reshape({batch, tokens, width}));
}

Mlp::Mlp(std::int64_t width, std::int64_t hidden, double dropout, Initializer& init)
    : dropout_(dropout),
      fc1_(register_module("fc1", std::make_shared<Linear>(width, hidden, init))),
      fc2_(register_module("fc2", std::make_shared<Linear>(hidden, width, init))) {}

at::Tensor Mlp::forward(const at::Tensor& x,
                        const ForwardContext& context,
                        std::int64_t site,
                        bool recompute_gelu) const {
  const auto rest = [this, context, site](const at::Tensor& hidden) {
    return activate(hidden, context, site);
  };
  return call_part(recompute_gelu, rest, call("fc1", *fc1_, x));
}

// From fc1's result on; hidden (B, N, hidden).
at::Tensor Mlp::activate(const at::Tensor& hidden,
                         const ForwardContext& context,
                         std::int64_t site) const {
  at::Tensor active = exact_gelu(hidden);
  if (is_training()) active = dropout(active, dropout_, context, site);
  at::Tensor out = call("fc2", *fc2_, active);
  if (is_training()) out = dropout(out, dropout_, context, site + 1);
  return out;
}

Block::Block(const Options& options, std::int64_t first_site, Initializer& init)
    : dropout_(options.dropout), first_site_(first_site) {
  const auto add_scale = [&](const char* name) {
    return options.layer_scale > 0
               ? register_module(name,
                                 std::make_shared<LayerScale>(options.dim, options.layer_scale))
               : nullptr;
  };
  const auto hidden =
      static_cast<std::int64_t>(static_cast<double>(options.dim) * options.mlp_ratio);
  norm1_ = register_module("norm1", std::make_shared<LayerNorm>(options.dim));
  attn_ = register_module("attn", std::make_shared<Attention>(options.dim, options.heads, init));
  ls1_ = add_scale("ls1");
  norm2_ = register_module("norm2", std::make_shared<LayerNorm>(options.dim));
  mlp_ = register_module("mlp", std::make_shared<Mlp>(options.dim, hidden, options.dropout, init));
  ls2_ = add_scale("ls2");
}

at::Tensor Block::attend(const at::Tensor& x, const ForwardContext& context) const {
  at::Tensor branch = call("attn", *attn_, call("norm1", *norm1_, x));
  if (is_training()) branch = dropout(branch, dropout_, context, first_site_ + kProjectionSite);
  return ls1_ ? call("ls1", *ls1_, branch) : branch;
}

at::Tensor Block::transform(const at::Tensor& x,
                            const ForwardContext& context,
                            bool recompute_gelu) const {
  const at::Tensor branch = call(
      "mlp", *mlp_, call("norm2", *norm2_, x), context, first_site_ + kMlpSite, recompute_gelu);
  return ls2_ ? call("ls2", *ls2_, branch) : branch;
}

at::Tensor Block::forward(const at::Tensor& x,
                          const ForwardContext& context,
                          const at::Tensor& keep,
                          const RecomputePlan& again) const {
  const auto attention = [this, context](const at::Tensor& in) { return attend(in, context); };
  const auto mlp = [this, context, gelu = again.gelu](const at::Tensor& in) {
    return transform(in, context, gelu);
  };
  at::Tensor branch = call_part(again.attention, attention, x);
  if (keep.defined()) branch = branch * keep[0];
  const at::Tensor middle = x + branch;
  branch = call_part(again.mlp, mlp, middle);
  if (keep.defined()) branch = branch * keep[1];
  return middle + branch;
}

}  // namespace lockstep::models
