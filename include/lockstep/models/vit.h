// Vision Transformer (Dosovitskiy et al. 2021) with the parameter names and the numbers of timm's
// VisionTransformer: pool "token" reads the class token after `norm`; pool "avg" reads the mean of
// the patch tokens (the class token stays in attention) through `fc_norm`. `dropout` is timm's
// pos_drop_rate and proj_drop_rate (after the positions, the attention's projection and both layers
// of the MLP); `drop_path` rises linearly over the blocks from 0; layer_scale is init_values.
#pragma once

#include <lockstep/models/options.h>
#include <lockstep/models/recompute_plan.h>

#include <torch/nn/module.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lockstep::models {

// What makes random numbers of a forward pass a pure function of the sample: stochastic depth and
// dropout draw from Philox keyed by (seed, step, layer, sample id).
struct ForwardContext {
  std::uint64_t seed = 0;
  std::int64_t step = 0;
  at::Tensor sample_ids;  // (B) i64 on the CPU; undefined outside training
};

class Vit : public torch::nn::Module {
 public:
  // Weights are drawn as timm does (linear and position weights normal 0.02, biases 0, patch
  // projection uniform), from `seed` alone: equal on all ranks.
  // Throws: Error(kConfig) as validate(options).
  Vit(const Options& options, std::uint64_t seed);
  ~Vit() override;

  // images (B, C, S, S) floating point -> logits (B, num_classes). Reads no value back from the
  // device. In training with dropout or drop_path, context.sample_ids is needed.
  at::Tensor forward(const at::Tensor& images, const ForwardContext& context);
  const Options& options() const;

  // What forward forgets from now on, for backward to make again; nothing at first. The model must
  // live until backward.
  // Throws: Error(kConfig) as check_recompute.
  void set_recompute(const RecomputePlan& plan);
  // Places of the layers that forward calls: "blocks.3", "blocks.3.attn.qkv", …, "head".
  const std::vector<std::string>& part_places() const;
  // Chosen layers and all in them compute in fp32, whatever autocast says; the others as before.
  void set_fp32(const std::function<bool(const std::string& place)>& chosen);

 private:
  at::Tensor run_blocks(at::Tensor x, const ForwardContext& context, const at::Tensor& keep) const;

  struct Parts;
  std::shared_ptr<Parts> parts_;
};

// Position embeddings (1, prefix + g*g, D) for another grid: bicubic with antialiasing on the grid
// part, prefix tokens kept (timm's resample_abs_pos_embed). The same grid returns `positions`.
// Throws: Error(kBadData) when the grid part is no square.
at::Tensor resize_positions(const at::Tensor& positions,
                            std::int64_t new_grid,
                            std::int64_t num_prefix_tokens);

// Positions `from` of a file for the grid of the parameter `to`, both with one class token:
// resize_positions. Undefined when the two are not positions of square grids of one width.
at::Tensor resize_positions_like(const at::Tensor& from, const at::Tensor& to);

}  // namespace lockstep::models
