// Processors for which nothing is written by hand.
#include "lerp_row.h"

namespace lockstep::augment {

bool has_lerp_avx512() { return false; }

void lerp_row_avx512(const float* row, const AxisTable& table, std::int64_t count, float* out) {
  lerp_row_plain(row, table, count, out);
}

void blend_rows(
    const float* top, const float* bottom, float weight, std::int64_t count, float* out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = top[i] + weight * (bottom[i] - top[i]);
}

}  // namespace lockstep::augment
