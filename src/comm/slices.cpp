#include "slices.h"

#include <algorithm>

namespace lockstep::comm {

std::size_t Slices::begin(int rank) const {
  return std::min(count, step * static_cast<std::size_t>(rank));
}

Slices aligned_slices(std::size_t count, int ranks) {
  constexpr std::size_t kGrain = 128;
  const auto parts = static_cast<std::size_t>(ranks);
  const std::size_t step = (count + parts - 1) / parts;
  return {count, (step + kGrain - 1) / kGrain * kGrain};
}

}  // namespace lockstep::comm
