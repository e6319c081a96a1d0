// GELU and its slope over plain arrays; two files hold it, one for each kind of processor.
#pragma once

#include <cstddef>

namespace lockstep::models {

// y = x * Phi(x), slope = Phi(x) + x * phi(x), within 4e-7 of the exact values (relative to
// max(1, |x|)). Vector instructions are chosen when it runs.
void gelu_with_slope(const float* x, float* y, float* slope, std::size_t count);

}  // namespace lockstep::models
