// The ways of convert_row that need an instruction set; convert_row_x86.cpp has them, its twin
// convert_row_generic.cpp says that there are none.
#pragma once

#include "convert_row.h"

namespace lockstep::augment {

bool has_convert_avx2();
void convert_one_avx2(const RowConversion& row, bool mirrored);
void convert_three_avx2(const RowConversion& row, bool mirrored);

bool has_convert_avx512();
void convert_one_avx512(const RowConversion& row, bool mirrored);
void convert_three_avx512(const RowConversion& row, bool mirrored);

}  // namespace lockstep::augment
