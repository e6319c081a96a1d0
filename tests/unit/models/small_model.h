// Small models and inputs that the tests of this folder share.
#pragma once

#include <lockstep/models/vit.h>

#include <ATen/ATen.h>

namespace lockstep::models {

inline Options small_options() {
  Options options;
  options.image_size = 12;
  options.patch_size = 4;
  options.in_channels = 1;
  options.num_classes = 5;
  options.dim = 16;
  options.depth = 3;
  options.heads = 2;
  return options;
}

inline at::Tensor images_for(const Options& options, std::int64_t batch) {
  at::manual_seed(11);
  return at::randn({batch, options.in_channels, options.image_size, options.image_size});
}

inline double max_abs(const at::Tensor& x) { return x.abs().max().item<double>(); }

}  // namespace lockstep::models
