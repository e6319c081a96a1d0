// Twin of chunk_walk_iterated.cpp for HDF5 without H5Dchunk_iter: H5Dread_chunk finds each chunk by
// its coordinates in logarithmic time, and the driver notes where it would have read.
#include "chunk_walk.h"
#include "recording_driver.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <array>
#include <limits>

namespace lockstep::data {

std::uint64_t walk_chunks(const Hdf5Session& session,
                          const std::filesystem::path& path,
                          const StoredArray& array,
                          const ChunkGrid& grid,
                          std::span<StoredChunk> chunks) {
  const Hid file = open_recording(session, path);
  const Hid dataset(H5Dopen2(file.get(), array.key.c_str(), H5P_DEFAULT), H5Dclose);
  if (!dataset) {
    throw data_error(format("{}: data set \"{}\" cannot be opened ({})",
                            path.string(),
                            array.key,
                            hdf5_reason(session)));
  }
  std::uint64_t found = 0;
  RecordingScope recording(session);
  for (std::uint64_t number = 0; number < chunks.size(); ++number) {
    const Coordinates origin = grid.origin(number);
    std::array<hsize_t, kMaxRank> offset{};
    std::copy(origin.begin(), origin.end(), offset.begin());
    std::uint32_t mask = 0;
    std::byte untouched{};
    recording.reset();
    // Fails where there is no chunk.
    if (H5Dread_chunk(dataset.get(), H5P_DEFAULT, offset.data(), &mask, &untouched) < 0) continue;
    const RawRead& read = recording.last();
    if (read.count != 1 || read.size_bytes > std::numeric_limits<std::uint32_t>::max()) continue;
    chunks[number] = {read.offset_bytes, static_cast<std::uint32_t>(read.size_bytes), mask};
    ++found;
  }
  return found;
}

}  // namespace lockstep::data
