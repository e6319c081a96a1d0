// Vision Transformer (Dosovitskiy et al. 2021) with the parameter names and the numbers of timm's
// VisionTransformer.
#pragma once

#include <cstdint>
#include <memory>

#include <torch/nn/module.h>

#include <lockstep/models/options.h>

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
  // Weights drawn as timm does (truncated normal 0.02, zero biases), from `seed`: equal on all ranks.
  Vit(const Options& options, std::uint64_t seed);
  ~Vit() override;

  // images (B, C, S, S) floating point -> logits (B, num_classes).
  at::Tensor forward(const at::Tensor& images, const ForwardContext& context);
  const Options& options() const;

 private:
  struct Parts;
  std::shared_ptr<Parts> parts_;
};

// Position embeddings (1, prefix + g*g, D) for another grid: bicubic with antialiasing on the grid
// part, prefix tokens kept (timm's resample_abs_pos_embed).
at::Tensor resize_positions(const at::Tensor& positions, std::int64_t new_grid,
                            std::int64_t num_prefix_tokens);

}  // namespace lockstep::models
