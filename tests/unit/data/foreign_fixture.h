// Data sets of other writers: every chunk index, filter and shape that HDF5 knows.
#pragma once

#include "data_fixture.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::data {

struct ForeignArray {
  std::string key = "images";
  std::vector<hsize_t> shape{20, 6, 5};
  std::vector<hsize_t> chunk;      // empty: contiguous
  std::vector<hsize_t> max_shape;  // empty: as shape
  hid_t type = H5T_STD_U8LE;
  bool shuffle = false;
  bool deflate = false;
  bool fletcher = false;
  bool fletcher_first = false;  // before deflate
  bool early = false;           // all chunks get their place at once
  bool bare_edges = false;      // chunks over the edge are not filtered
  std::int64_t rows_written = -1;
  int fill = -1;
};

// Bytes that compress, different in every sample.
std::vector<std::uint8_t> pattern(std::size_t count, unsigned seed = 1);

// Adds a data set of pattern() bytes (converted to its type) to an open file.
void add_array(hid_t file, const ForeignArray& array);

// A file with images and i64 labels index % 3. `latest`: newest storage, else the oldest.
void write_arrays(const std::filesystem::path& path, const ForeignArray& images, bool latest);

// Every sample by H5Dread in one call.
std::vector<std::byte> library_bytes(const std::filesystem::path& path,
                                     const std::string& key = "images");

}  // namespace lockstep::data
