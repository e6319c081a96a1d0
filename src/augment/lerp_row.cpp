#include "lerp_row.h"

namespace lockstep::augment {

void lerp_row_plain(const float* row, const AxisTable& table, std::int64_t count, float* out) {
  const std::int32_t* const first = table.first.data();
  const std::int32_t* const second = table.second.data();
  const float* const weight = table.weight.data();
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = row[first[i]];
    out[i] = value + weight[i] * (row[second[i]] - value);
  }
}

void lerp_row(const float* row, const AxisTable& table, std::int64_t count, float* out) {
  static const auto way = has_lerp_avx512() ? lerp_row_avx512 : lerp_row_plain;
  way(row, table, count, out);
}

}  // namespace lockstep::augment
