// Twin of chunk_walk_recorded.cpp for HDF5 with H5Dchunk_iter (1.12.3, 1.14 and later).
#include "chunk_walk.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <limits>

namespace lockstep::data {
namespace {

struct Walk {
  const ChunkGrid& grid;
  std::span<StoredChunk> chunks;
  std::uint64_t found = 0;
};

int take_chunk(const hsize_t* offset, unsigned mask, haddr_t address, hsize_t size, void* data) {
  auto& walk = *static_cast<Walk*>(data);
  Coordinates first{};
  std::copy_n(offset, walk.grid.rank(), first.begin());
  const std::uint64_t number = walk.grid.number_at(first);
  if (number >= walk.chunks.size() || size > std::numeric_limits<std::uint32_t>::max()) return 0;
  walk.chunks[number] = {address, static_cast<std::uint32_t>(size), mask};
  ++walk.found;
  return 0;
}

}  // namespace

std::uint64_t walk_chunks(const Hdf5Session& session,
                          const std::filesystem::path& path,
                          const StoredArray& array,
                          const ChunkGrid& grid,
                          std::span<StoredChunk> chunks) {
  Walk walk{grid, chunks};
  if (H5Dchunk_iter(array.dataset.get(), H5P_DEFAULT, take_chunk, &walk) < 0) {
    throw data_error(format("{}: the chunk index of data set \"{}\" cannot be read ({})",
                            path.string(),
                            array.key,
                            hdf5_reason(session)));
  }
  return walk.found;
}

}  // namespace lockstep::data
