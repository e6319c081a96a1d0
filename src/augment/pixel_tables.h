// Operations that map each byte of a channel by itself, as tables of 256 entries. The arithmetic is
// that of the Python Imaging Library; shared by the host pass and the kernels as pixel_math.h.
#pragma once

#include "pixel_math.h"

namespace lockstep::augment {

constexpr int kTableSize = 256;
constexpr int kMostChannels = 4;

// What some tables are made from.
struct ImageStatistics {
  std::uint32_t histogram[kMostChannels][kTableSize];
  std::uint64_t luma_sum;  // of grey images: of the pixels
  std::uint32_t num_pixels;
};

LOCKSTEP_BOTH_SIDES bool is_table(PixelOpKind kind) {
  return kind == PixelOpKind::kBrightness || kind == PixelOpKind::kContrast ||
         kind == PixelOpKind::kPosterize || kind == PixelOpKind::kSolarize ||
         kind == PixelOpKind::kAutocontrast || kind == PixelOpKind::kEqualize;
}

LOCKSTEP_BOTH_SIDES bool needs_statistics(PixelOpKind kind) {
  return kind == PixelOpKind::kContrast || kind == PixelOpKind::kAutocontrast ||
         kind == PixelOpKind::kEqualize;
}

LOCKSTEP_BOTH_SIDES int mean_luma(const ImageStatistics& statistics) {
  const std::uint64_t count = statistics.num_pixels;
  return static_cast<int>((2 * statistics.luma_sum + count) / (2 * count));
}

// The darkest value goes to 0, the brightest to 255.
LOCKSTEP_BOTH_SIDES void autocontrast_table(const std::uint32_t* histogram, std::uint8_t* table) {
  int low = 0;
  int high = kTableSize - 1;
  while (low < kTableSize - 1 && histogram[low] == 0) ++low;
  while (high > 0 && histogram[high] == 0) --high;
  const double scale = high > low ? 255.0 / (high - low) : 1.0;
  const double offset = high > low ? -rounded_product(low, scale) : 0.0;
  for (int i = 0; i < kTableSize; ++i) {
    const int mapped = static_cast<int>(rounded_product(i, scale) + offset);
    table[i] = static_cast<std::uint8_t>(mapped < 0 ? 0 : mapped > 255 ? 255 : mapped);
  }
}

// Makes the values' distribution uniform.
LOCKSTEP_BOTH_SIDES void equalize_table(const std::uint32_t* histogram,
                                        std::uint32_t num_pixels,
                                        std::uint8_t* table) {
  std::uint32_t last = 0;
  for (int i = 0; i < kTableSize; ++i) {
    if (histogram[i] != 0) last = histogram[i];
  }
  const std::uint32_t step = (num_pixels - last) / 255;
  std::uint32_t sum = step / 2;
  for (int i = 0; i < kTableSize; ++i) {
    const std::uint32_t mapped = step == 0 ? static_cast<std::uint32_t>(i) : sum / step;
    table[i] = static_cast<std::uint8_t>(mapped > 255 ? 255 : mapped);
    sum += histogram[i];
  }
}

LOCKSTEP_BOTH_SIDES void posterize_table(int bits, std::uint8_t* table) {
  const int mask = 0xFF & ~((1 << (8 - bits)) - 1);
  for (int i = 0; i < kTableSize; ++i) table[i] = static_cast<std::uint8_t>(i & mask);
}

LOCKSTEP_BOTH_SIDES void solarize_table(float threshold, std::uint8_t* table) {
  for (int i = 0; i < kTableSize; ++i) {
    table[i] = static_cast<std::uint8_t>(static_cast<float>(i) < threshold ? i : 255 - i);
  }
}

LOCKSTEP_BOTH_SIDES void blend_table(int degenerate, float factor, std::uint8_t* table) {
  for (int i = 0; i < kTableSize; ++i) table[i] = blend(degenerate, i, factor);
}

// The table of one channel. `statistics` is read where needs_statistics(op.kind).
// Requires: is_table(op.kind).
LOCKSTEP_BOTH_SIDES void build_table(const PixelOp& op,
                                     const ImageStatistics& statistics,
                                     int channel,
                                     std::uint8_t* table) {
  const std::uint32_t* const histogram = statistics.histogram[channel];
  if (op.kind == PixelOpKind::kBrightness) {
    blend_table(0, op.value, table);
  } else if (op.kind == PixelOpKind::kContrast) {
    blend_table(mean_luma(statistics), op.value, table);
  } else if (op.kind == PixelOpKind::kPosterize) {
    posterize_table(static_cast<int>(op.value), table);
  } else if (op.kind == PixelOpKind::kSolarize) {
    solarize_table(op.value, table);
  } else if (op.kind == PixelOpKind::kAutocontrast) {
    autocontrast_table(histogram, table);
  } else {
    equalize_table(histogram, statistics.num_pixels, table);
  }
}

}  // namespace lockstep::augment
