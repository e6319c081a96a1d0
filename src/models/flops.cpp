// Work of a ViT, counted from its settings alone.
#include <lockstep/models/flops.h>

namespace lockstep::models {

double vit_flops(const Options& options) {
  const auto grid = static_cast<double>(options.image_size / options.patch_size);
  const auto width = static_cast<double>(options.dim);
  const auto patch = static_cast<double>(options.patch_size);
  const double patches = grid * grid;
  const double tokens = patches + 1;
  const double hidden = static_cast<double>(static_cast<std::int64_t>(width * options.mlp_ratio));
  const double embed = patches * static_cast<double>(options.in_channels) * patch * patch * width;
  const double projections = tokens * (4 * width * width + 2 * width * hidden);
  const double attention = 2 * tokens * tokens * width;
  const double head = width * static_cast<double>(options.num_classes);
  return 2 * (embed + static_cast<double>(options.depth) * (projections + attention) + head);
}

}  // namespace lockstep::models
