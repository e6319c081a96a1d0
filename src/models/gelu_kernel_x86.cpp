// GELU with the widest vectors that this processor has.
#include "models/gelu_kernel.h"
#include "models/gelu_loop.h"

namespace lockstep::models {
namespace {

[[gnu::target("avx512f,avx512dq,fma")]] void gelu_avx512(const float* x,
                                                         float* y,
                                                         float* slope,
                                                         std::size_t count) {
  gelu_loop(x, y, slope, count);
}

[[gnu::target("avx2,fma")]] void gelu_avx2(const float* x,
                                           float* y,
                                           float* slope,
                                           std::size_t count) {
  gelu_loop(x, y, slope, count);
}

}  // namespace

void gelu_with_slope(const float* x, float* y, float* slope, std::size_t count) {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) {
    gelu_avx512(x, y, slope, count);
  } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    gelu_avx2(x, y, slope, count);
  } else {
    gelu_loop(x, y, slope, count);
  }
}

}  // namespace lockstep::models
