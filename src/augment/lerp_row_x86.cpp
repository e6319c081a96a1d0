// lerp_row by vectors: sixteen neighbours on the result lie near each other in the source, so that
// two loads and a permutation replace a gather.
#include "lerp_row.h"

#include <immintrin.h>

#include <algorithm>

namespace lockstep::augment {
namespace {

constexpr std::int64_t kLanes = 16;

[[gnu::always_inline, gnu::target("avx512f")]] inline __m512i load_indices(
    const std::int32_t* from) {
  return _mm512_loadu_si512(from);
}

}  // namespace

bool has_lerp_avx512() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("fma") != 0;
}

[[gnu::target("avx512f,fma")]] void lerp_row_avx512(const float* row,
                                                    const AxisTable& table,
                                                    std::int64_t count,
                                                    float* out) {
  const std::int32_t* const first = table.first.data();
  const std::int32_t* const second = table.second.data();
  const float* const weight = table.weight.data();
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const auto [low, high] = std::minmax(first[i], first[i + kLanes - 1]);
    if (high - low + 2 > kRowPadding) {  // a strong reduction
      for (std::int64_t k = i; k < i + kLanes; ++k) {
        out[k] = row[first[k]] + weight[k] * (row[second[k]] - row[first[k]]);
      }
      continue;
    }
    const __m512i base = _mm512_set1_epi32(low);
    const __m512 near = _mm512_loadu_ps(row + low);
    const __m512 far = _mm512_loadu_ps(row + low + kLanes);
    const __m512i left = _mm512_sub_epi32(load_indices(first + i), base);
    const __m512i right = _mm512_sub_epi32(load_indices(second + i), base);
    const __m512 a = _mm512_permutex2var_ps(near, left, far);
    const __m512 b = _mm512_permutex2var_ps(near, right, far);
    const __m512 w = _mm512_loadu_ps(weight + i);
    _mm512_storeu_ps(out + i, _mm512_fmadd_ps(w, _mm512_sub_ps(b, a), a));
  }
  for (; i < count; ++i) {
    out[i] = row[first[i]] + weight[i] * (row[second[i]] - row[first[i]]);
  }
}

[[gnu::target_clones("avx512f", "avx2", "default"), gnu::optimize("O3")]] void blend_rows(
    const float* top, const float* bottom, float weight, std::int64_t count, float* out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = top[i] + weight * (bottom[i] - top[i]);
}

}  // namespace lockstep::augment
