// The part of a flat arena that one rank updates (ZeRO stage 1; Rajbhandari et al. 2020, "ZeRO:
// Memory Optimizations Toward Training Trillion Parameter Models", section 5.1).
#pragma once

#include <lockstep/comm/group.h>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace lockstep::optim {

// Elements of the arena.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

struct Shard {
  std::vector<Range> owned;      // ascending, apart, bounds at multiples of kAlignElements
  comm::Group* group = nullptr;  // of the ranks that own the rest; null: this rank owns all
  at::Tensor norms;              // (group->size()) f64 where the arena is, from collective_zeros
};

}  // namespace lockstep::optim
