// GELU with the vectors that every processor of this build's architecture has.
#include "models/gelu_kernel.h"
#include "models/gelu_loop.h"

namespace lockstep::models {

void gelu_with_slope(const float* x, float* y, float* slope, std::size_t count) {
  gelu_loop(x, y, slope, count);
}

}  // namespace lockstep::models
