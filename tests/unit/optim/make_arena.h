// Small arenas for tests: parameters laid one after another, stats slots at the end.
#pragma once

#include <lockstep/comm/world.h>
#include <lockstep/optim/arena.h>

#include <ATen/ops/randn.h>

#include <string>
#include <utility>
#include <vector>

namespace lockstep::optim::test {

inline Layout layout_of(const std::vector<NamedParameter>& parameters) {
  Layout layout;
  std::int64_t cursor = 0;
  for (const NamedParameter& parameter : parameters) {
    layout.offset.push_back(cursor);
    const std::int64_t count = parameter.tensor.numel();
    cursor += (count + kAlignElements - 1) / kAlignElements * kAlignElements;
  }
  layout.stats_offset = cursor;
  layout.total = cursor + kNumStats;
  return layout;
}

inline NamedParameter random_parameter(const std::string& name,
                                       const std::vector<std::int64_t>& sizes) {
  return {name, (at::randn(sizes) * 0.2).requires_grad_(true)};
}

// A matrix and a positional table with decay groups apart, odd sizes, a vector between.
inline std::vector<NamedParameter> mixed_parameters() {
  return {random_parameter("head.weight", {7, 13}),
          random_parameter("head.bias", {7}),
          random_parameter("pos_embed", {1, 5, 3}),
          random_parameter("block.weight", {33, 5})};
}

}  // namespace lockstep::optim::test
