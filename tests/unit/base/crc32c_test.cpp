// CRC-32C: published values, and the instruction's path equal to the tables' for every length.
#include "base/crc32c_paths.h"

#include <lockstep/base/hash.h>
#include <lockstep/base/random.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep {
namespace {

std::vector<std::byte> random_bytes(std::size_t count, std::uint64_t seed) {
  PhiloxStream random(seed, 0);
  std::vector<std::byte> bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next_u32());
  return bytes;
}

std::vector<std::byte> filled(std::size_t count, const auto& value_at) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(value_at(i));
  return bytes;
}

// One bit at a time, straight from the definition.
std::uint32_t crc32c_bitwise(std::span<const std::byte> bytes) {
  std::uint32_t state = ~0U;
  for (const std::byte byte : bytes) {
    state ^= static_cast<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) state = (state >> 1) ^ ((state & 1U) * 0x82F63B78U);
  }
  return ~state;
}

// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
TEST(Crc32c, PublishedValues) {
  EXPECT_EQ(crc32c(bytes_of(std::string("123456789"))), 0xE3069283U);
  EXPECT_EQ(crc32c(filled(32, [](std::size_t) { return 0; })), 0x8A9136AAU);
  EXPECT_EQ(crc32c(filled(32, [](std::size_t) { return 0xFF; })), 0x62A8AB43U);
  EXPECT_EQ(crc32c(filled(32, [](std::size_t i) { return i; })), 0x46DD794EU);
  EXPECT_EQ(crc32c(filled(32, [](std::size_t i) { return 31 - i; })), 0x113FDB5CU);
  EXPECT_EQ(crc32c({}), 0U);
}

TEST(Crc32c, SeedContinuesAChecksum) {
  const auto bytes = random_bytes(5000, 1);
  const std::span<const std::byte> all(bytes);
  for (const std::size_t cut : {0U, 1U, 7U, 8U, 3071U, 3072U, 4999U, 5000U}) {
    EXPECT_EQ(crc32c(all.subspan(cut), crc32c(all.first(cut))), crc32c(all)) << cut;
  }
}

TEST(Crc32c, TablesEqualTheDefinition) {
  const auto bytes = random_bytes(300, 2);
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    const auto part = std::span<const std::byte>(bytes).first(length);
    ASSERT_EQ(~crc32c_tables(part, ~0U), crc32c_bitwise(part)) << length;
  }
}

TEST(Crc32c, HardwareEqualsTablesForEveryLength) {
  if (!crc32c_hardware_available()) GTEST_SKIP() << "no CRC-32C instruction here";
  const auto bytes = random_bytes(20'000, 3);
  // The tables' state grows byte by byte: one pass gives the value of every prefix.
  std::uint32_t expected = ~0U;
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    const auto part = std::span<const std::byte>(bytes).first(length);
    ASSERT_EQ(crc32c_hardware(part, ~0U), expected) << length;
    if (length < bytes.size()) {
      expected = crc32c_tables(std::span<const std::byte>(bytes).subspan(length, 1), expected);
    }
  }
}

TEST(Crc32c, HardwareEqualsTablesAtEveryAlignmentAndState) {
  if (!crc32c_hardware_available()) GTEST_SKIP() << "no CRC-32C instruction here";
  const auto bytes = random_bytes(20'000, 4);
  PhiloxStream random(5, 0);
  for (int trial = 0; trial < 2000; ++trial) {
    const std::size_t begin = static_cast<std::size_t>(trial) % 64;
    const auto length = static_cast<std::size_t>(random.below(bytes.size() - begin + 1));
    const auto part = std::span<const std::byte>(bytes).subspan(begin, length);
    const std::uint32_t state = random.next_u32();
    ASSERT_EQ(crc32c_hardware(part, state), crc32c_tables(part, state)) << begin << " " << length;
  }
}

TEST(Crc32c, SeesEveryFlippedBit) {
  auto bytes = random_bytes(784, 6);
  const std::uint32_t before = crc32c(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const auto mask = static_cast<std::byte>(1U << (bit % 8));
    bytes[bit / 8] ^= mask;
    ASSERT_NE(crc32c(bytes), before) << bit;
    bytes[bit / 8] ^= mask;
  }
}

}  // namespace
}  // namespace lockstep
