// One pre-norm transformer block as in timm: attention and MLP, each on a residual branch.
// B batch, N tokens, D width, H heads.
#pragma once

#include "models/layers.h"

#include <lockstep/models/options.h>
#include <lockstep/models/recompute_plan.h>
#include <lockstep/models/vit.h>

#include <memory>

namespace lockstep::models {

class Attention : public Part {
 public:
  Attention(std::int64_t width, std::int64_t num_heads, Initializer& init);
  // (B, N, D) -> (B, N, D), before any dropout. Attention is LibTorch's fused one at every size:
  // on a CPU it beat products and softmax by hand from 50 tokens on (9.1 against 9.6 ms forward and
  // backward at 64 x 50 tokens, 20 against 24 ms at width 192) and lost 0.5 ms only at 17.
  at::Tensor forward(const at::Tensor& x) const;

 private:
  std::int64_t num_heads_;
  std::shared_ptr<Linear> qkv_;
  std::shared_ptr<Linear> proj_;
};

class Mlp : public Part {
 public:
  Mlp(std::int64_t width, std::int64_t hidden, double dropout, Initializer& init);
  // (B, N, D) -> (B, N, D). Dropout, in training, after both layers (timm's proj_drop_rate). What
  // follows fc1 keeps its input alone when `recompute_gelu`.
  at::Tensor forward(const at::Tensor& x,
                     const ForwardContext& context,
                     std::int64_t site,
                     bool recompute_gelu) const;

 private:
  at::Tensor activate(const at::Tensor& hidden,
                      const ForwardContext& context,
                      std::int64_t site) const;

  double dropout_;
  std::shared_ptr<Linear> fc1_;
  std::shared_ptr<Linear> fc2_;
};

class Block : public Part {
 public:
  // Random numbers that one block may draw: places from `first_site` on.
  static constexpr std::int64_t kNumSites = 8;

  Block(const Options& options, std::int64_t first_site, Initializer& init);
  // x (B, N, D) -> (B, N, D). `keep` (2, B, 1, 1): stochastic depth's factors of the two branches;
  // undefined: none. `again`: the parts that keep their input alone; its groups are not looked at.
  at::Tensor forward(const at::Tensor& x,
                     const ForwardContext& context,
                     const at::Tensor& keep,
                     const RecomputePlan& again = {}) const;

 private:
  at::Tensor attend(const at::Tensor& x, const ForwardContext& context) const;
  at::Tensor transform(const at::Tensor& x,
                       const ForwardContext& context,
                       bool recompute_gelu) const;

  double dropout_;
  std::int64_t first_site_;
  std::shared_ptr<LayerNorm> norm1_;
  std::shared_ptr<Attention> attn_;
  std::shared_ptr<LayerScale> ls1_;  // null: no layer scale
  std::shared_ptr<LayerNorm> norm2_;
  std::shared_ptr<Mlp> mlp_;
  std::shared_ptr<LayerScale> ls2_;
};

}  // namespace lockstep::models
