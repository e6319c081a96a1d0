// Rows of floats resized and blended: the inner loops of a bilinear resize on the host.
#pragma once

#include <cstdint>
#include <vector>

namespace lockstep::augment {

// Where the pixels of a resized row come from, relative to the part that is shown.
struct AxisTable {
  std::vector<std::int32_t> first;
  std::vector<std::int32_t> second;
  std::vector<float> weight;  // of `second`
};

// A resized row is read in vectors: its floats are followed by this many that may be read.
constexpr std::int64_t kRowPadding = 32;

// out[i] = row[first[i]] + weight[i] * (row[second[i]] - row[first[i]]).
// Requires: first rises or falls steadily; kRowPadding floats may be read past every row[first[i]].
void lerp_row(const float* row, const AxisTable& table, std::int64_t count, float* out);

// out[i] = top[i] + weight * (bottom[i] - top[i]).
void blend_rows(
    const float* top, const float* bottom, float weight, std::int64_t count, float* out);

// lerp_row's ways; public to this module's tests.
void lerp_row_plain(const float* row, const AxisTable& table, std::int64_t count, float* out);
bool has_lerp_avx512();
void lerp_row_avx512(const float* row, const AxisTable& table, std::int64_t count, float* out);

}  // namespace lockstep::augment
