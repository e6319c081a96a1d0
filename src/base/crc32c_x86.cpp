// CRC-32C by the SSE 4.2 instruction, three streams at a time to hide its latency.
#include "crc32c_paths.h"

#include <nmmintrin.h>

#include <array>
#include <cstring>

namespace lockstep {
namespace {

constexpr std::size_t kLane = 1024;  // bytes of each of the three streams

std::uint64_t load(const std::byte* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// The linear map that shifts a state over kLane zero bytes, as tables of its four bytes.
using ShiftTables = std::array<std::array<std::uint32_t, 256>, 4>;

__attribute__((target("sse4.2"))) ShiftTables make_shift_tables() {
  ShiftTables tables{};
  for (std::size_t position = 0; position < 4; ++position) {
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      std::uint64_t state = std::uint64_t{byte} << (8 * position);
      for (std::size_t i = 0; i < kLane / 8; ++i) state = _mm_crc32_u64(state, 0);
      tables[position][byte] = static_cast<std::uint32_t>(state);
    }
  }
  return tables;
}

std::uint32_t shift(const ShiftTables& tables, std::uint32_t state) {
  return tables[0][state & 0xFF] ^ tables[1][(state >> 8) & 0xFF] ^
         tables[2][(state >> 16) & 0xFF] ^ tables[3][state >> 24];
}

}  // namespace

bool crc32c_hardware_available() { return __builtin_cpu_supports("sse4.2") != 0; }

__attribute__((target("sse4.2"))) std::uint32_t crc32c_hardware(std::span<const std::byte> bytes,
                                                                std::uint32_t state) {
  static const ShiftTables tables = make_shift_tables();
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t first = state;
  for (; left >= 3 * kLane; left -= 3 * kLane, at += 3 * kLane) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < kLane; i += 8) {
      first = _mm_crc32_u64(first, load(at + i));
      second = _mm_crc32_u64(second, load(at + kLane + i));
      third = _mm_crc32_u64(third, load(at + 2 * kLane + i));
    }
    first = shift(tables, static_cast<std::uint32_t>(first)) ^ second;
    first = shift(tables, static_cast<std::uint32_t>(first)) ^ third;
  }
  for (; left >= 8; left -= 8, at += 8) first = _mm_crc32_u64(first, load(at));
  auto last = static_cast<std::uint32_t>(first);
  for (; left > 0; --left, ++at) last = _mm_crc32_u8(last, static_cast<unsigned char>(*at));
  return last;
}

}  // namespace lockstep
