// The arithmetic of one pixel, shared by the host pass and the kernels so that both give the same.
// Where results are bytes it is exact: whole numbers, or products that are rounded by themselves.
// No LibTorch and nothing newer than C++17 here.
#pragma once

#include "pixel_plan.h"

#include <cmath>
#include <cstdint>

#ifdef __CUDACC__
#define LOCKSTEP_BOTH_SIDES __host__ __device__ inline
#else
#define LOCKSTEP_BOTH_SIDES inline
#endif

namespace lockstep::augment {

// Products that the compiler must not join with a sum: host files that include this are compiled
// with -ffp-contract=off.
#ifdef __CUDA_ARCH__
LOCKSTEP_BOTH_SIDES double rounded_product(double a, double b) { return __dmul_rn(a, b); }
LOCKSTEP_BOTH_SIDES float rounded_product(float a, float b) { return __fmul_rn(a, b); }
#else
LOCKSTEP_BOTH_SIDES double rounded_product(double a, double b) { return a * b; }
LOCKSTEP_BOTH_SIDES float rounded_product(float a, float b) { return a * b; }
#endif

// Neighbours of an output pixel along one axis, bilinear, pixel centres at half (align_corners =
// false): the value is (1 - rest / whole) * source[first] + rest / whole * source[second].
struct AxisPosition {
  std::int32_t first = 0;
  std::int32_t second = 0;
  std::int64_t rest = 0;
  std::int64_t whole = 1;
};

// Of output pixel `at` of `out_size` that show source pixels [begin, begin + size).
LOCKSTEP_BOTH_SIDES AxisPosition axis_position(std::int32_t at,
                                               std::int32_t begin,
                                               std::int32_t size,
                                               std::int32_t out_size) {
  AxisPosition position;
  position.whole = 2 * static_cast<std::int64_t>(out_size);
  std::int64_t numerator = (2 * static_cast<std::int64_t>(at) + 1) * size - out_size;
  if (numerator < 0) numerator = 0;
  std::int32_t first = static_cast<std::int32_t>(numerator / position.whole);
  position.rest = numerator % position.whole;
  if (first >= size - 1) {
    first = size - 1;
    position.rest = 0;
  }
  position.first = begin + first;
  position.second = begin + (position.rest == 0 ? first : first + 1);
  return position;
}

LOCKSTEP_BOTH_SIDES float weight_of(const AxisPosition& position) {
  return static_cast<float>(position.rest) / static_cast<float>(position.whole);
}

// The same of a region that may begin and end inside of pixels.
struct RegionPosition {
  std::int32_t first = 0;
  std::int32_t second = 0;
  float weight = 0;  // of `second`
};

// Of output pixel `at` of `out_size` that show [begin, end) of `size` source pixels. A part of a
// pixel at the region's edge is shown too; nothing beyond the image is.
LOCKSTEP_BOTH_SIDES RegionPosition
region_position(std::int32_t at, float begin, float end, std::int32_t size, std::int32_t out_size) {
  const double step = (static_cast<double>(end) - begin) / out_size;
  const double past = ceil(static_cast<double>(end));
  const double last = (past < size ? past : size) - 1;
  const double first = floor(static_cast<double>(begin));
  double place = begin + rounded_product(at + 0.5, step) - 0.5;
  if (place < first) place = first;
  if (place > last) place = last;
  const double below = floor(place);
  RegionPosition position;
  position.first = static_cast<std::int32_t>(below);
  position.second = static_cast<std::int32_t>(below + 1 < last ? below + 1 : last);
  position.weight = static_cast<float>(place - below);
  return position;
}

// Weights of resized bytes are whole multiples of 1 / kWeightUnit.
constexpr std::int32_t kWeightUnit = 2048;

LOCKSTEP_BOTH_SIDES std::int32_t byte_weight(const AxisPosition& position) {
  return static_cast<std::int32_t>((position.rest * kWeightUnit + position.whole / 2) /
                                   position.whole);
}

LOCKSTEP_BOTH_SIDES std::uint8_t bilinear_byte(
    int p00, int p01, int p10, int p11, std::int32_t wx, std::int32_t wy) {
  const std::int32_t top = p00 * (kWeightUnit - wx) + p01 * wx;
  const std::int32_t bottom = p10 * (kWeightUnit - wx) + p11 * wx;
  constexpr std::int32_t kUnit = kWeightUnit * kWeightUnit;
  return static_cast<std::uint8_t>((top * (kWeightUnit - wy) + bottom * wy + kUnit / 2) / kUnit);
}

// ITU-R 601 luma in 16-bit fixed point, as the Python Imaging Library has it.
LOCKSTEP_BOTH_SIDES int luma(int red, int green, int blue) {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

// degenerate + factor * (pixel - degenerate), clipped and cut to a byte. Product and sum are each
// rounded once.
LOCKSTEP_BOTH_SIDES std::uint8_t blend(int degenerate, int pixel, float factor) {
  const float sum = static_cast<float>(degenerate) +
                    rounded_product(factor, static_cast<float>(pixel - degenerate));
  if (sum <= 0.0F) return 0;
  return sum >= 255.0F ? std::uint8_t{255} : static_cast<std::uint8_t>(sum);
}

// Of one 3 x 3 neighbourhood: weights 1 and 5 in the middle, over 13.
LOCKSTEP_BOTH_SIDES int smoothed(int sum_of_nine, int middle) {
  return (2 * (sum_of_nine + 4 * middle) + 13) / 26;
}

LOCKSTEP_BOTH_SIDES float larger(float a, float b) { return a > b ? a : b; }
LOCKSTEP_BOTH_SIDES float smaller(float a, float b) { return a < b ? a : b; }

// Turns the hue of a colour in place, through HSV in floats. `turn` is from [-0.5, 0.5].
LOCKSTEP_BOTH_SIDES void turn_hue(std::uint8_t* rgb, float turn) {
  const float r = rgb[0];
  const float g = rgb[1];
  const float b = rgb[2];
  const float most = larger(r, larger(g, b));
  const float least = smaller(r, smaller(g, b));
  const float range = most - least;
  if (range == 0.0F) return;
  float hue = 0;  // in sixths of the circle
  if (most == r) {
    hue = (g - b) / range;
  } else if (most == g) {
    hue = 2.0F + (b - r) / range;
  } else {
    hue = 4.0F + (r - g) / range;
  }
  hue += 6.0F * turn;
  if (hue < 0.0F) hue += 6.0F;
  if (hue >= 6.0F) hue -= 6.0F;
  // Each channel falls and rises with its distance from its own place on the circle.
  const float places[3] = {5.0F, 3.0F, 1.0F};
  for (int c = 0; c < 3; ++c) {
    float k = places[c] + hue;
    if (k >= 6.0F) k -= 6.0F;
    const float share = larger(0.0F, smaller(1.0F, smaller(k, 4.0F - k)));
    rgb[c] = static_cast<std::uint8_t>(most - range * share + 0.5F);
  }
}

// Random words of one element, the same as philox() of base (which is no device code).
LOCKSTEP_BOTH_SIDES void philox_words(std::uint64_t key, std::uint64_t counter, std::uint32_t* x) {
  x[0] = static_cast<std::uint32_t>(counter);
  x[1] = static_cast<std::uint32_t>(counter >> 32);
  x[2] = 0;
  x[3] = 0;
  std::uint32_t key0 = static_cast<std::uint32_t>(key);
  std::uint32_t key1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53} * x[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * x[2];
    const std::uint32_t x1 = x[1];
    const std::uint32_t x3 = x[3];
    x[0] = static_cast<std::uint32_t>(product1 >> 32) ^ x1 ^ key0;
    x[1] = static_cast<std::uint32_t>(product1);
    x[2] = static_cast<std::uint32_t>(product0 >> 32) ^ x3 ^ key1;
    x[3] = static_cast<std::uint32_t>(product0);
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
}

// Normal numbers of unit variance for up to four channels of one pixel (Box and Muller).
LOCKSTEP_BOTH_SIDES void normal_noise(std::uint64_t key, std::uint64_t pixel, float* noise) {
  constexpr float kUnit = 1.0F / 4294967296.0F;
  constexpr float kTwoPi = 6.28318530717958647692F;
  std::uint32_t words[4];
  philox_words(key, pixel, words);
  for (int pair = 0; pair < 2; ++pair) {
    // Never 0: the logarithm stays finite.
    const float radius = sqrtf(-2.0F * logf((static_cast<float>(words[2 * pair]) + 1.0F) * kUnit));
    const float angle = kTwoPi * (static_cast<float>(words[2 * pair + 1]) * kUnit);
    noise[2 * pair] = radius * cosf(angle);
    noise[2 * pair + 1] = radius * sinf(angle);
  }
}

}  // namespace lockstep::augment
