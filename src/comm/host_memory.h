// Ordinary host memory as comm::Memory: 128-byte aligned and zeroed.
#pragma once

#include <lockstep/comm/world.h>

namespace lockstep::comm {

// Throws: std::bad_alloc.
std::unique_ptr<Memory> make_host_memory(std::size_t size_bytes);

}  // namespace lockstep::comm
