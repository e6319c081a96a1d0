// Where the bytes of a sample come from: positional reads (range_source.h), chunks
// (chunked_source.h), or the HDF5 library (library_source.h). Knows nothing of checksums or labels.
#pragma once

#include <cstddef>
#include <cstdint>
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
  virtual std::size_t shared_chunk_bytes(std::int64_t /*num_chunks*/) const { return 0; }
  virtual void share_chunks(std::span<std::byte> /*memory*/) const {}
};

}  // namespace lockstep::data
