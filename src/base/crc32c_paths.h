// The two ways to a CRC-32C, so that a test can compare them. `state` is the checksum inverted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lockstep {

// Slicing by eight, for processors without the instruction.
std::uint32_t crc32c_tables(std::span<const std::byte> bytes, std::uint32_t state);
bool crc32c_hardware_available();
// Requires: crc32c_hardware_available().
std::uint32_t crc32c_hardware(std::span<const std::byte> bytes, std::uint32_t state);

}  // namespace lockstep
