// Settings of the models module.
#pragma once

#include <lockstep/base/option.h>

#include <cstdint>
#include <string>

namespace lockstep::models {

struct Options {
  std::string name = "vit";
  std::int64_t image_size = 224;
  std::int64_t patch_size = 16;
  std::int64_t in_channels = 3;
  std::int64_t num_classes = 1000;
  std::int64_t dim = 768;
  std::int64_t depth = 12;
  std::int64_t heads = 12;
  double mlp_ratio = 4.0;
  std::string pool = "token";
  double dropout = 0;
  double drop_path = 0;
  double layer_scale = 0;  // initial value; 0: none
};

void bind_options(OptionTable& table, Options& options);
// Throws: Error(kConfig): patch does not divide the image, heads do not divide the width, …
void validate(const Options& options);

}  // namespace lockstep::models
