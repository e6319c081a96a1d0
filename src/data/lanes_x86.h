// Eight 16-bit values at once, for resize.cpp: SSE2, which every x86-64 has.
#pragma once

#include <emmintrin.h>

#include <cstddef>
#include <cstdint>

namespace lockstep::data {

using Lanes = __m128i;

inline Lanes load_lanes(const std::uint16_t* values) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(values));
}
inline Lanes all_lanes(std::uint16_t value) { return _mm_set1_epi16(static_cast<short>(value)); }
// sum + the upper 16 bits of value * weight.
inline Lanes add_scaled(Lanes sum, Lanes value, Lanes weight) {
  return _mm_add_epi16(sum, _mm_mulhi_epu16(value, weight));
}
// The sums over the pixels of C channels that the lanes hold, upper bytes alone: channel c is byte
// c.
template <std::size_t C>
std::uint32_t upper_bytes(Lanes sum, Lanes bias) {
  if constexpr (C == 3) {
    sum = _mm_add_epi16(sum, _mm_srli_si128(sum, 6));
  } else {
    sum = _mm_add_epi16(sum, _mm_srli_si128(sum, 8));
    sum = _mm_add_epi16(sum, _mm_srli_si128(sum, 4));
    sum = _mm_add_epi16(sum, _mm_srli_si128(sum, 2));
  }
  const Lanes bytes = _mm_srli_epi16(_mm_add_epi16(sum, bias), 8);
  return static_cast<std::uint32_t>(_mm_cvtsi128_si32(_mm_packus_epi16(bytes, bytes)));
}

}  // namespace lockstep::data
