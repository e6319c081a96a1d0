// The loop behind gelu_with_slope, inlined into functions for differing vector instructions.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace lockstep::models {

// The tail of the normal distribution by Abramowitz and Stegun 7.1.26 (error 1.5e-7); its
// exponential is the density's too. exp(-x*x/2) is 2^whole * 2^part with |part| <= 1/2, the second
// factor by its Taylor series to degree 6.
[[gnu::always_inline]] inline void gelu_loop(const float* __restrict x,
                                             float* __restrict y,
                                             float* __restrict slope,
                                             std::size_t count) {
  constexpr float kHalfLog2e = 0.72134752044F;
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
  constexpr float kMinPower = -120.0F;
  constexpr float kTailScale = 0.23164189F;  // 0.3275911 / sqrt(2)
  constexpr float kDensity = 0.39894228040F;
  for (std::size_t i = 0; i < count; ++i) {
    const float value = x[i];
    const float raw = -kHalfLog2e * value * value;
    const float power = raw < kMinPower ? kMinPower : raw;
    const float whole = (power + kRound) - kRound;
    const float part = power - whole;
    float series = 1.5403530e-4F;
    series = series * part + 1.3333558e-3F;
    series = series * part + 9.6181291e-3F;
    series = series * part + 5.5504109e-2F;
    series = series * part + 2.4022651e-1F;
    series = series * part + 6.9314718e-1F;
    series = series * part + 1.0F;
    const auto bits = static_cast<std::uint32_t>((static_cast<std::int32_t>(whole) + 127)) << 23;
    const float exponential = series * std::bit_cast<float>(bits);
    const float t = 1.0F / (1.0F + kTailScale * std::fabs(value));
    float tail = 1.061405429F;
    tail = tail * t - 1.453152027F;
    tail = tail * t + 1.421413741F;
    tail = tail * t - 0.284496736F;
    tail = tail * t + 0.254829592F;
    tail = 0.5F * tail * t * exponential;
    const float phi = value < 0.0F ? tail : 1.0F - tail;
    y[i] = value * phi;
    slope[i] = phi + value * kDensity * exponential;
  }
}

}  // namespace lockstep::models
