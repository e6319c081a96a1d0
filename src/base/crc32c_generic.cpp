// Twin of crc32c_x86.cpp for other processors: never available.
#include "crc32c_paths.h"

namespace lockstep {

bool crc32c_hardware_available() { return false; }
std::uint32_t crc32c_hardware(std::span<const std::byte>, std::uint32_t state) { return state; }

}  // namespace lockstep
