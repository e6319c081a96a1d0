// convert_row by vectors: sixteen pixels a turn, always written from the left. Three interleaved
// channels are taken apart by byte shuffles whose masks also mirror, so mirroring is free.
#include "convert_row_ways.h"

#include <immintrin.h>

#include <array>

namespace lockstep::augment {
namespace {

constexpr int kPixels = 16;

using Mask = std::array<std::uint8_t, kPixels>;
struct Masks {
  alignas(16) std::array<std::array<std::array<Mask, 3>, 3>, 2> of{};  // [mirrored][channel][block]
};

// Byte 3 * i + c of three blocks of sixteen goes to place i of channel c; 0x80 leaves a zero.
constexpr Masks make_masks() {
  Masks masks;
  for (std::size_t mirrored = 0; mirrored < 2; ++mirrored) {
    for (std::size_t c = 0; c < 3; ++c) {
      for (std::size_t i = 0; i < kPixels; ++i) {
        const std::size_t source = 3 * i + c;
        const std::size_t place = mirrored != 0 ? kPixels - 1 - i : i;
        for (std::size_t block = 0; block < 3; ++block) {
          masks.of[mirrored][c][block][place] =
              source / kPixels == block ? static_cast<std::uint8_t>(source % kPixels) : 0x80;
        }
      }
    }
  }
  return masks;
}
constexpr Masks kMasks = make_masks();

[[gnu::always_inline, gnu::target("ssse3")]] inline __m128i load(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

// Channel c of sixteen pixels in three blocks.
[[gnu::always_inline, gnu::target("ssse3")]] inline __m128i pick(const __m128i* blocks,
                                                                 bool mirrored,
                                                                 std::size_t c) {
  const auto& masks = kMasks.of[mirrored ? 1 : 0][c];
  const __m128i first = _mm_shuffle_epi8(blocks[0], load(masks[0].data()));
  const __m128i second = _mm_shuffle_epi8(blocks[1], load(masks[1].data()));
  const __m128i third = _mm_shuffle_epi8(blocks[2], load(masks[2].data()));
  return _mm_or_si128(_mm_or_si128(first, second), third);
}

[[gnu::always_inline, gnu::target("ssse3")]] inline __m128i mirror(__m128i bytes) {
  return _mm_shuffle_epi8(bytes,
                          _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

[[gnu::always_inline, gnu::target("avx2")]] inline void store_avx2(__m128i bytes,
                                                                   float scale,
                                                                   float shift,
                                                                   float* to) {
  const __m256 scales = _mm256_set1_ps(scale);
  const __m256 shifts = _mm256_set1_ps(shift);
  const __m256 low = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
  const __m256 high = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)));
  _mm256_storeu_ps(to, _mm256_add_ps(_mm256_mul_ps(low, scales), shifts));
  _mm256_storeu_ps(to + 8, _mm256_add_ps(_mm256_mul_ps(high, scales), shifts));
}

template <bool kStreamed>
[[gnu::always_inline, gnu::target("avx512f")]] inline void store_avx512(__m128i bytes,
                                                                        float scale,
                                                                        float shift,
                                                                        float* to) {
  // The forms with a mask: GCC 12 warns of its own header in the others.
  constexpr __mmask16 kAll = 0xFFFF;
  const __m512 values = _mm512_maskz_cvtepi32_ps(kAll, _mm512_maskz_cvtepu8_epi32(kAll, bytes));
  const __m512 result =
      _mm512_add_ps(_mm512_mul_ps(values, _mm512_set1_ps(scale)), _mm512_set1_ps(shift));
  if constexpr (kStreamed) {
    _mm512_stream_ps(to, result);
  } else {
    _mm512_storeu_ps(to, result);
  }
}

// Places that are left over at the end of a row.
[[gnu::always_inline, gnu::target("avx2")]] inline void convert_rest(const RowConversion& row,
                                                                     std::int64_t channels,
                                                                     std::int64_t begin,
                                                                     bool mirrored) {
  for (std::int64_t place = begin; place < row.count; ++place) {
    const std::int64_t i = mirrored ? row.count - 1 - place : place;
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto byte = static_cast<float>(row.from[i * channels + c]);
      row.out[c][place] = byte * row.scale[c] + row.shift[c];
    }
  }
}

bool can_stream(const RowConversion& row, std::size_t channels) {
  constexpr std::uintptr_t kAlignment = 64;
  bool aligned = row.streamed;
  for (std::size_t c = 0; c < channels; ++c) {
    aligned = aligned && reinterpret_cast<std::uintptr_t>(row.out[c]) % kAlignment == 0;
  }
  return aligned;
}

template <bool kStreamed, bool kMirrored>
[[gnu::target("avx512f")]] void one_avx512(const RowConversion& row) {
  const std::int64_t count = row.count;
  const float scale = row.scale[0];
  const float shift = row.shift[0];
  float* const out = row.out[0];
  std::int64_t place = 0;
  for (; place + kPixels <= count; place += kPixels) {
    const __m128i bytes = load(row.from + (kMirrored ? count - kPixels - place : place));
    store_avx512<kStreamed>(kMirrored ? mirror(bytes) : bytes, scale, shift, out + place);
  }
  convert_rest(row, 1, place, kMirrored);
}

template <bool kStreamed, bool kMirrored>
[[gnu::target("avx512f")]] void three_avx512(const RowConversion& row) {
  const std::int64_t count = row.count;
  const float scale[3] = {row.scale[0], row.scale[1], row.scale[2]};
  const float shift[3] = {row.shift[0], row.shift[1], row.shift[2]};
  float* const out[3] = {row.out[0], row.out[1], row.out[2]};
  std::int64_t place = 0;
  for (; place + kPixels <= count; place += kPixels) {
    const std::uint8_t* const from = row.from + 3 * (kMirrored ? count - kPixels - place : place);
    const __m128i blocks[3] = {load(from), load(from + 16), load(from + 32)};
    for (std::size_t c = 0; c < 3; ++c) {
      store_avx512<kStreamed>(pick(blocks, kMirrored, c), scale[c], shift[c], out[c] + place);
    }
  }
  convert_rest(row, 3, place, kMirrored);
}

}  // namespace

bool has_convert_avx2() { return __builtin_cpu_supports("avx2") != 0; }

bool has_convert_avx512() { return has_convert_avx2() && __builtin_cpu_supports("avx512f") != 0; }

[[gnu::target("avx2")]] void convert_one_avx2(const RowConversion& row, bool mirrored) {
  const std::int64_t count = row.count;
  const float scale = row.scale[0];
  const float shift = row.shift[0];
  float* const out = row.out[0];
  std::int64_t place = 0;
  for (; place + kPixels <= count; place += kPixels) {
    const __m128i bytes = load(row.from + (mirrored ? count - kPixels - place : place));
    store_avx2(mirrored ? mirror(bytes) : bytes, scale, shift, out + place);
  }
  convert_rest(row, 1, place, mirrored);
}

[[gnu::target("avx2")]] void convert_three_avx2(const RowConversion& row, bool mirrored) {
  const std::int64_t count = row.count;
  const float scale[3] = {row.scale[0], row.scale[1], row.scale[2]};
  const float shift[3] = {row.shift[0], row.shift[1], row.shift[2]};
  float* const out[3] = {row.out[0], row.out[1], row.out[2]};
  std::int64_t place = 0;
  for (; place + kPixels <= count; place += kPixels) {
    const std::uint8_t* const from = row.from + 3 * (mirrored ? count - kPixels - place : place);
    const __m128i blocks[3] = {load(from), load(from + 16), load(from + 32)};
    for (std::size_t c = 0; c < 3; ++c) {
      store_avx2(pick(blocks, mirrored, c), scale[c], shift[c], out[c] + place);
    }
  }
  convert_rest(row, 3, place, mirrored);
}

void convert_one_avx512(const RowConversion& row, bool mirrored) {
  if (can_stream(row, 1)) {
    mirrored ? one_avx512<true, true>(row) : one_avx512<true, false>(row);
  } else {
    mirrored ? one_avx512<false, true>(row) : one_avx512<false, false>(row);
  }
}

void convert_three_avx512(const RowConversion& row, bool mirrored) {
  if (can_stream(row, 3)) {
    mirrored ? three_avx512<true, true>(row) : three_avx512<true, false>(row);
  } else {
    mirrored ? three_avx512<false, true>(row) : three_avx512<false, false>(row);
  }
}

void finish_streamed_rows() { _mm_sfence(); }

}  // namespace lockstep::augment
