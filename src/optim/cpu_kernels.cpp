// Compiled with -O3 -ffp-contract=off -fno-math-errno and without the precompiled header.
#include "cpu_kernels.h"

namespace lockstep::optim {
namespace {

#define LOCKSTEP_INLINE inline __attribute__((always_inline))

LOCKSTEP_INLINE double sum_of_squares_body(const float* values, std::int64_t count) {
  constexpr std::int64_t kLanes = 32;
  double lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const double x = static_cast<double>(values[i + lane]);
      lanes[lane] += x * x;
    }
  }
  for (std::int64_t lane = 0; i < count; ++i, ++lane) {
    const double x = static_cast<double>(values[i]);
    lanes[lane] += x * x;
  }
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

LOCKSTEP_INLINE void adamw_body(const ElementFactors& factors,
                                float* __restrict parameters,
                                float* __restrict first,
                                float* __restrict second,
                                float* __restrict gradients,
                                std::int64_t count) {
  const ElementFactors f = factors;
  for (std::int64_t i = 0; i < count; ++i) {
    update_element(f, parameters[i], first[i], second[i], gradients[i]);
    gradients[i] = 0.0F;
  }
}

using SumFunction = double (*)(const float*, std::int64_t);
using PassFunction = void (*)(const ElementFactors&, float*, float*, float*, float*, std::int64_t);

struct Kernels {
  SumFunction sum;
  PassFunction pass;
};

double sum_plain(const float* values, std::int64_t count) {
  return sum_of_squares_body(values, count);
}
void pass_plain(
    const ElementFactors& f, float* p, float* m, float* v, float* g, std::int64_t count) {
  adamw_body(f, p, m, v, g, count);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) double sum_avx2(const float* values, std::int64_t count) {
  return sum_of_squares_body(values, count);
}
__attribute__((target("avx2"))) void pass_avx2(
    const ElementFactors& f, float* p, float* m, float* v, float* g, std::int64_t count) {
  adamw_body(f, p, m, v, g, count);
}
__attribute__((target("avx512f,prefer-vector-width=512"))) double sum_avx512(const float* values,
                                                                             std::int64_t count) {
  return sum_of_squares_body(values, count);
}
__attribute__((target("avx512f,prefer-vector-width=512"))) void pass_avx512(
    const ElementFactors& f, float* p, float* m, float* v, float* g, std::int64_t count) {
  adamw_body(f, p, m, v, g, count);
}

Kernels pick_kernels() {
  if (__builtin_cpu_supports("avx512f")) return {sum_avx512, pass_avx512};
  if (__builtin_cpu_supports("avx2")) return {sum_avx2, pass_avx2};
  return {sum_plain, pass_plain};
}
#else
Kernels pick_kernels() { return {sum_plain, pass_plain}; }
#endif

const Kernels& kernels() {
  static const Kernels picked = pick_kernels();
  return picked;
}

}  // namespace

double sum_of_squares(const float* values, std::int64_t count) {
  return kernels().sum(values, count);
}

void adamw_pass(const ElementFactors& factors,
                float* parameters,
                float* first,
                float* second,
                float* gradients,
                std::int64_t count) {
  kernels().pass(factors, parameters, first, second, gradients, count);
}

}  // namespace lockstep::optim
