// One data set inside an HDF5 file: where and how it is stored, and what must be refused before a
// byte of it is read. Knows nothing of images or labels.
#pragma once

#include "chunk_filters.h"
#include "hdf5_session.h"

#include <lockstep/data/inspect.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::data {

// The largest chunk, and the largest row of chunks, that is taken apart in memory.
inline constexpr std::uint64_t kMaxChunkBytes = std::uint64_t{256} << 20;

struct StoredArray : ArrayInfo {
  Hid dataset;
  std::size_t element_bytes = 0;
  bool big_endian = false;        // elements of several bytes
  std::uint64_t chunk_bytes = 0;  // of one chunk before filters; chunked only
  std::vector<FilterStep> steps;  // in the order of writing; chunked only
  bool whole_edges_only = false;  // chunks over the edge of the shape are stored unfiltered
  std::vector<std::byte> fill;    // one element, what was never written reads as
};

// Throws: Error(kBadData) naming file and key: missing, links that leave the file, external
// storage, virtual layout, types that are not plain numbers, sizes that overflow, data that ends
// past the end of the file, chunks over kMaxChunkBytes, filters that are unknown or malformed.
StoredArray open_array(const Hdf5Session& session,
                       hid_t file,
                       const std::filesystem::path& path,
                       const std::string& key);

// The whole data set, converted to T. Throws: Error(kBadData).
template <class T>
std::vector<T> read_array(const Hdf5Session& session,
                          const StoredArray& array,
                          const std::filesystem::path& path);

}  // namespace lockstep::data
