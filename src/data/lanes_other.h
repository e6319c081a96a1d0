// Eight 16-bit values at once, for resize.cpp: any machine. The same results as lanes_x86.h.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace lockstep::data {

using Lanes = std::array<std::uint16_t, 8>;

inline Lanes load_lanes(const std::uint16_t* values) {
  Lanes lanes;
  std::copy_n(values, lanes.size(), lanes.begin());
  return lanes;
}
inline Lanes all_lanes(std::uint16_t value) {
  Lanes lanes;
  lanes.fill(value);
  return lanes;
}
// sum + the upper 16 bits of value * weight.
inline Lanes add_scaled(Lanes sum, const Lanes& value, const Lanes& weight) {
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i] = static_cast<std::uint16_t>(sum[i] + ((std::uint32_t{value[i]} * weight[i]) >> 16));
  }
  return sum;
}
// The sums over the pixels of C channels that the lanes hold, upper bytes alone: channel c is byte
// c.
template <std::size_t C>
std::uint32_t upper_bytes(const Lanes& sum, const Lanes& bias) {
  std::uint32_t bytes = 0;
  for (std::size_t c = 0; c < C; ++c) {
    std::uint32_t total = bias[c];
    for (std::size_t i = 0; i < sum.size() / C; ++i) total += sum[i * C + c];
    bytes |= (total >> 8) << (8 * c);
  }
  return bytes;
}

}  // namespace lockstep::data
