// Compiled with -O3 -ffp-contract=off -fno-math-errno and without the precompiled header.
#include "cpu_kernels.h"

#include <cstddef>

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

// The slots never overlap, which the compiler cannot know.
template <class R>
LOCKSTEP_INLINE void update_body(const PassArguments& a) {
  const typename R::Factors f = R::factors(a.settings, a.block, a.group);
  const float grad_factor = a.block.factors.grad_factor;
  const std::int64_t count = a.count;
  float* const p = a.parameters;
  float* const g = a.gradients;
  float* slots[kMaxSlots];
  for (int k = 0; k < R::kSlots; ++k) slots[k] = a.slots[k];
#pragma GCC ivdep
  for (std::int64_t i = 0; i < count; ++i) {
    float s[kMaxSlots];
    for (int k = 0; k < R::kSlots; ++k) s[k] = slots[k][i];
    R::update(f, p[i], g[i] * grad_factor, s);
    for (int k = 0; k < R::kSlots; ++k) slots[k][i] = s[k];
    g[i] = 0.0F;
  }
}

using SumFunction = double (*)(const float*, std::int64_t);
using PassFunction = void (*)(const PassArguments&);

struct Kernels {
  SumFunction sum;
  const PassFunction* passes;  // by Rule
};

double sum_plain(const float* values, std::int64_t count) {
  return sum_of_squares_body(values, count);
}
template <class R>
void pass_plain(const PassArguments& a) {
  update_body<R>(a);
}
template <class... R>
Kernels plain_kernels(RuleList<R...> /*rules*/) {
  static constexpr PassFunction kPasses[] = {pass_plain<R>...};
  return {sum_plain, kPasses};
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) double sum_avx2(const float* values, std::int64_t count) {
  return sum_of_squares_body(values, count);
}
template <class R>
__attribute__((target("avx2"))) void pass_avx2(const PassArguments& a) {
  update_body<R>(a);
}
template <class... R>
Kernels avx2_kernels(RuleList<R...> /*rules*/) {
  static constexpr PassFunction kPasses[] = {pass_avx2<R>...};
  return {sum_avx2, kPasses};
}

__attribute__((target("avx512f,prefer-vector-width=512"))) double sum_avx512(const float* values,
                                                                             std::int64_t count) {
  return sum_of_squares_body(values, count);
}
template <class R>
__attribute__((target("avx512f,prefer-vector-width=512"))) void pass_avx512(
    const PassArguments& a) {
  update_body<R>(a);
}
template <class... R>
Kernels avx512_kernels(RuleList<R...> /*rules*/) {
  static constexpr PassFunction kPasses[] = {pass_avx512<R>...};
  return {sum_avx512, kPasses};
}

Kernels pick_kernels() {
  if (__builtin_cpu_supports("avx512f")) return avx512_kernels(AllRules{});
  if (__builtin_cpu_supports("avx2")) return avx2_kernels(AllRules{});
  return plain_kernels(AllRules{});
}
#else
Kernels pick_kernels() { return plain_kernels(AllRules{}); }
#endif

const Kernels& kernels() {
  static const Kernels picked = pick_kernels();
  return picked;
}

}  // namespace

double sum_of_squares(const float* values, std::int64_t count) {
  return kernels().sum(values, count);
}

void update_pass(Rule rule, const PassArguments& arguments) {
  kernels().passes[static_cast<std::size_t>(rule)](arguments);
}

}  // namespace lockstep::optim
