// Samples of a chunked data set: chunks are read at their place in the file, their filters undone
// on the calling thread, and those of several samples kept for a while. Never calls HDF5.
#pragma once

#include "chunk_filters.h"
#include "chunk_index.h"
#include "file_pool.h"
#include "kept_chunks.h"
#include "pixel_source.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace lockstep::data {

// One data set's chunks as bytes. Thread: every function from any thread.
class ChunkReader {
 public:
  // Requires: chunked storage whose filters are undone here (library_only is empty).
  // Throws: Error(kIo), Error(kBadData).
  ChunkReader(const Hdf5Session& session,
              std::shared_ptr<const FilePool> pool,
              std::size_t file,
              const StoredArray& array);

  const ChunkIndex& index() const { return index_; }
  // No filter was applied to any chunk: parts of one can be read by themselves.
  bool plain() const { return filters_.none(); }
  // A whole chunk. Throws: Error(kIo), Error(kBadData) naming the chunk.
  void read(std::uint64_t number, std::span<std::byte> out) const;
  // Bytes of a chunk from `begin` on. Requires: plain().
  void read_part(std::uint64_t number, std::uint64_t begin, std::span<std::byte> out) const;
  std::string place(std::uint64_t number) const;

 private:
  class Lease;
  void fill(std::span<std::byte> out) const;

  std::shared_ptr<const FilePool> pool_;
  std::size_t file_;
  std::string key_;
  ChunkIndex index_;
  ChunkFilters filters_;
  std::vector<std::byte> fill_;
  bool whole_edges_only_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<FilterWorkspace>> idle_;  // guarded by mutex_
};

class ChunkedSource final : public PixelSource {
 public:
  // `array` holds u8 samples along its first dimension. Throws: as ChunkReader, Error(kBadData)
  // when one row of chunks is over kMaxChunkBytes.
  ChunkedSource(const Hdf5Session& session,
                const std::shared_ptr<const FilePool>& pool,
                std::size_t file,
                const StoredArray& array,
                std::int64_t cache_bytes);

  void read(std::int64_t index, std::span<std::byte> out) const override;
  std::string place(std::int64_t index) const override;
  std::int64_t samples_per_chunk() const override;
  void keep_chunks(std::int64_t num_chunks) const override { kept_.keep(num_chunks); }
  std::size_t shared_chunk_bytes(std::int64_t num_chunks) const override {
    return kept_.shared_bytes(num_chunks);
  }
  void share_chunks(std::span<std::byte> memory) const override { kept_.share(memory); }
  std::uint64_t stored_bytes() const { return reader_.index().stored_bytes; }
  // Chunks that were read and inflated so far.
  std::uint64_t chunks_read() const { return chunks_read_.load(std::memory_order_relaxed); }

 private:
  void read_chunk(std::uint64_t number, std::span<std::byte> out) const;

  ChunkReader reader_;
  std::uint64_t sample_bytes_;
  bool whole_samples_;  // no chunk cuts a sample
  KeptChunks kept_;
  mutable std::atomic<std::uint64_t> chunks_read_ = 0;
};

// Every element of a chunked data set, as stored. Requires: as ChunkReader.
std::vector<std::byte> read_all_chunks(const Hdf5Session& session,
                                       const std::filesystem::path& path,
                                       const StoredArray& array);

}  // namespace lockstep::data
