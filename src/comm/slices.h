// How `count` elements are cut into one slice a rank.
#pragma once

#include <cstddef>

namespace lockstep::comm {

// Slice r is [r * step, min((r + 1) * step, count)); the last ones may be empty.
struct Slices {
  std::size_t count = 0;
  std::size_t step = 0;
  std::size_t begin(int rank) const;
  std::size_t size(int rank) const { return begin(rank + 1) - begin(rank); }
};

// Steps of a multiple of 128 elements: of 128 bytes for every type.
Slices aligned_slices(std::size_t count, int ranks);

}  // namespace lockstep::comm
