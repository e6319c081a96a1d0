// Processors for which nothing is written by hand: convert_row's plain way serves.
#include "convert_row_ways.h"

namespace lockstep::augment {

bool has_convert_avx2() { return false; }
void convert_one_avx2(const RowConversion& /*row*/, bool /*mirrored*/) {}
void convert_three_avx2(const RowConversion& /*row*/, bool /*mirrored*/) {}

void finish_streamed_rows() {}

bool has_convert_avx512() { return false; }
void convert_one_avx512(const RowConversion& /*row*/, bool /*mirrored*/) {}
void convert_three_avx512(const RowConversion& /*row*/, bool /*mirrored*/) {}

}  // namespace lockstep::augment
