// Every chunk of a data set, looked up once. Twin files: by the library's own enumeration where it
// has one, else by reads that are noted instead of done.
#pragma once

#include "chunk_index.h"

namespace lockstep::data {

// Enters each stored chunk of `array` at its number; the others stay as they are. Returns how many
// were entered. Throws: Error(kBadData) naming file and key when the index cannot be read.
std::uint64_t walk_chunks(const Hdf5Session& session,
                          const std::filesystem::path& path,
                          const StoredArray& array,
                          const ChunkGrid& grid,
                          std::span<StoredChunk> chunks);

}  // namespace lockstep::data
