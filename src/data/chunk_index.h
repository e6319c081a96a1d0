// Where the chunks of a data set lie in its file, read once when it is opened. Knows nothing of
// filters or images.
#pragma once

#include "chunk_grid.h"
#include "stored_array.h"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace lockstep::data {

struct StoredChunk {
  std::uint64_t offset_bytes = 0;
  std::uint32_t stored_bytes = 0;  // 0: never written, holds the fill value
  std::uint32_t filter_mask = 0;   // bit i: filter i was left out
};

struct ChunkIndex {
  ChunkGrid grid;
  std::vector<StoredChunk> chunks;  // by number
  std::uint64_t num_stored = 0;
  std::uint64_t stored_bytes = 0;  // of all chunks
};

// Throws: Error(kBadData) for a shape of which only a small part was ever written. Requires:
// chunked storage.
void check_written(const Hdf5Session& session,
                   const std::filesystem::path& path,
                   const StoredArray& array);

// Every chunk lies inside the file and is no larger than its filters can have made it. Requires:
// chunked storage. Throws: Error(kBadData) naming file, key and reason.
ChunkIndex read_chunk_index(const Hdf5Session& session,
                            const std::filesystem::path& path,
                            const StoredArray& array);

}  // namespace lockstep::data
