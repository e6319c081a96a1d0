// Where the bytes of a sample come from: positional reads (range_source.h), chunks
// (chunked_source.h), or the HDF5 library under its lock for what is not decoded here. Knows
// nothing of checksums or labels.
#pragma once

#include "stored_array.h"

#include <lockstep/base/file.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace lockstep::data {

// Thread: read() from any thread.
class PixelSource {
 public:
  virtual ~PixelSource() = default;
  virtual void read(std::int64_t index, std::span<std::byte> out) const = 0;
  // The place of a sample for messages: "bytes 2048 to 2831".
  virtual std::string place(std::int64_t index) const = 0;
  // As those of Dataset.
  virtual std::int64_t samples_per_chunk() const { return 1; }
  virtual void keep_chunks(std::int64_t /*num_chunks*/) const {}
};

// Takes file and data set over. Throws on read: Error(kBadData) naming file, key and sample.
std::unique_ptr<PixelSource> make_library_source(const std::filesystem::path& path,
                                                 Hid file,
                                                 StoredArray array);

}  // namespace lockstep::data
