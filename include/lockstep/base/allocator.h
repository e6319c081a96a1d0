// How this process's memory treats large blocks.
#pragma once

#include <cstddef>

namespace lockstep {

// Makes malloc keep the memory of large freed blocks instead of handing it back to the kernel. A
// training step frees and allocates the same activations over and over; by default glibc returns
// large blocks and the top of the heap at once, and the next step pays a page fault for every 4 KiB
// (docs/benchmarks.md has the figures). The price: resident memory stays at its peak. A threshold
// that the user set by MALLOC_MMAP_THRESHOLD_ or MALLOC_TRIM_THRESHOLD_ is left alone.
// Requires: called before other threads start.
void tune_allocator();

// Asks for huge pages under memory that was not written to yet; smaller pages stay where the system
// has none to give. For arrays that are streamed over: fewer page walks, longer hardware prefetch.
void prefer_huge_pages(void* data, std::size_t size_bytes);

}  // namespace lockstep
