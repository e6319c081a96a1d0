// CRC-32C by slicing by eight: any little-endian processor. The reference that the instruction's
// path is tested against.
#include "crc32c_paths.h"

#include <array>
#include <bit>
#include <cstring>

namespace lockstep {
namespace {

static_assert(std::endian::native == std::endian::little, "words are folded in byte order");

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // reflected Castagnoli

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = value;
  }
  for (std::size_t table = 1; table < 8; ++table) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t previous = tables[table - 1][byte];
      tables[table][byte] = (previous >> 8) ^ tables[0][previous & 0xFF];
    }
  }
  return tables;
}

}  // namespace

std::uint32_t crc32c_tables(std::span<const std::byte> bytes, std::uint32_t state) {
  static const Tables tables = make_tables();
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, 8);
    word ^= state;
    state = 0;
    for (std::size_t byte = 0; byte < 8; ++byte) {
      state ^= tables[7 - byte][(word >> (8 * byte)) & 0xFF];
    }
  }
  for (; i < bytes.size(); ++i) {
    state = (state >> 8) ^ tables[0][(state ^ static_cast<std::uint32_t>(bytes[i])) & 0xFF];
  }
  return state;
}

}  // namespace lockstep
