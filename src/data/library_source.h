// Samples that the HDF5 library reads, under its one lock: what is not decoded here, and every file
// for comparison. Of chunks of several samples or parts of one, each is read once as long as it is
// kept.
#pragma once

#include "kept_chunks.h"
#include "library_pool.h"
#include "pixel_source.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace lockstep::data {

class LibrarySource final : public PixelSource {
 public:
  // Takes file and array over. `cache_bytes` of chunks are kept; none: every sample is one call of
  // the library. Throws: Error(kBadData) as check_written, and on read naming file, key and sample.
  LibrarySource(const Hdf5Session& session,
                std::shared_ptr<LibraryPool> pool,
                const std::filesystem::path& path,
                Hid file,
                StoredArray array,
                std::optional<std::int64_t> cache_bytes);

  void read(std::int64_t index, std::span<std::byte> out) const override;
  std::string place(std::int64_t index) const override;
  // As the reader that does without the library says, so that both have one order.
  std::int64_t samples_per_chunk() const override;
  void keep_chunks(std::int64_t num_chunks) const override;
  std::size_t shared_chunk_bytes(std::int64_t num_chunks) const override;
  void share_chunks(std::span<std::byte> memory) const override;

 private:
  // Of the data set, and where it goes in memory of another shape.
  struct Block;
  void read_block(const Block& block, std::span<std::byte> out) const;
  void read_chunk(std::uint64_t number, std::span<std::byte> out) const;
  bool whole_samples() const;

  std::shared_ptr<LibraryPool> pool_;
  std::filesystem::path path_;
  std::size_t number_ = 0;  // in the pool
  StoredArray array_;
  std::optional<KeptChunks> kept_;
};

}  // namespace lockstep::data
