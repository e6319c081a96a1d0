// Compiled with -O3 -ffp-contract=off -fno-math-errno and without the precompiled header.
#include "cpu_kernels.h"

#include <cmath>
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

// The arrays never overlap, which the compiler cannot know.
template <class R, bool kAverage>
LOCKSTEP_INLINE void update_body(const PassArguments& a) {
  const typename R::Factors f = R::factors(a.settings, a.block, a.group);
  const UpdateFactors step = a.block.factors;
  const std::int64_t count = a.count;
  float* const p = a.parameters;
  float* const g = a.gradients;
  float* const average = a.average;
  float* slots[kMaxSlots];
  for (int k = 0; k < R::kSlots; ++k) slots[k] = a.slots[k];
#pragma GCC ivdep
  for (std::int64_t i = 0; i < count; ++i) {
    float s[kMaxSlots];
    for (int k = 0; k < R::kSlots; ++k) s[k] = slots[k][i];
    R::update(f, p[i], usable_gradient(g[i], step.grad_factor, step.clip_value), s);
    for (int k = 0; k < R::kSlots; ++k) slots[k][i] = s[k];
    if constexpr (kAverage) average[i] = average[i] + (p[i] - average[i]) * step.ema_weight;
    g[i] = 0.0F;
  }
}

using SumFunction = double (*)(const float*, std::int64_t);
using PassFunction = void (*)(const PassArguments&);

struct Kernels {
  SumFunction sum;
  const PassFunction* passes;      // by Rule
  const PassFunction* averagings;  // by Rule, with an average
};

double sum_plain(const float* values, std::int64_t count) {
  return sum_of_squares_body(values, count);
}
template <class R, bool kAverage>
void pass_plain(const PassArguments& a) {
  update_body<R, kAverage>(a);
}
template <class... R>
Kernels plain_kernels(RuleList<R...> /*rules*/) {
  static constexpr PassFunction kPasses[] = {pass_plain<R, false>...};
  static constexpr PassFunction kAveragings[] = {pass_plain<R, true>...};
  return {sum_plain, kPasses, kAveragings};
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) double sum_avx2(const float* values, std::int64_t count) {
  return sum_of_squares_body(values, count);
}
template <class R, bool kAverage>
__attribute__((target("avx2"))) void pass_avx2(const PassArguments& a) {
  update_body<R, kAverage>(a);
}
template <class... R>
Kernels avx2_kernels(RuleList<R...> /*rules*/) {
  static constexpr PassFunction kPasses[] = {pass_avx2<R, false>...};
  static constexpr PassFunction kAveragings[] = {pass_avx2<R, true>...};
  return {sum_avx2, kPasses, kAveragings};
}

__attribute__((target("avx512f,prefer-vector-width=512"))) double sum_avx512(const float* values,
                                                                             std::int64_t count) {
  return sum_of_squares_body(values, count);
}
template <class R, bool kAverage>
__attribute__((target("avx512f,prefer-vector-width=512"))) void pass_avx512(
    const PassArguments& a) {
  update_body<R, kAverage>(a);
}
template <class... R>
Kernels avx512_kernels(RuleList<R...> /*rules*/) {
  static constexpr PassFunction kPasses[] = {pass_avx512<R, false>...};
  static constexpr PassFunction kAveragings[] = {pass_avx512<R, true>...};
  return {sum_avx512, kPasses, kAveragings};
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
  const Kernels& all = kernels();
  const PassFunction* const passes = arguments.average == nullptr ? all.passes : all.averagings;
  passes[static_cast<std::size_t>(rule)](arguments);
}

void row_pass(const RowArguments& a) {
  for (std::int64_t row = 0; row < a.rows; ++row) {
    float* const g = a.gradients + row * a.length;
    if (a.clip > 0) {
      const double size = std::sqrt(sum_of_squares(a.parameters + row * a.length, a.length));
      const double norm =
          std::sqrt(sum_of_squares(g, a.length)) * static_cast<double>(a.grad_factor);
      const float factor = agc_factor(size, norm, static_cast<double>(a.clip));
      for (std::int64_t i = 0; i < a.length; ++i) g[i] *= factor;
    }
    if (!a.centralise) continue;
    double sum = 0;
    for (std::int64_t i = 0; i < a.length; ++i) sum += static_cast<double>(g[i]);
    const auto mean = static_cast<float>(sum / static_cast<double>(a.length));
    for (std::int64_t i = 0; i < a.length; ++i) g[i] -= mean;
  }
}

}  // namespace lockstep::optim
