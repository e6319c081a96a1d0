// Samples out of chunks that hold several, or parts of one: each chunk is loaded once for all of
// its samples, as long as it is kept. Knows nothing of files.
#pragma once

#include "chunk_cache.h"
#include "chunk_grid.h"
#include "shared_chunks.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace lockstep::data {

// Thread: read() from any thread; share() while nobody reads.
class KeptChunks {
 public:
  // Writes a chunk; what lies beyond the edge of the shape is never looked at.
  using Load = std::function<void(std::uint64_t number, std::span<std::byte>)>;

  // Elements of one byte. Keeps `cache_bytes` of chunks of its own, at least what one sample needs.
  KeptChunks(const ChunkGrid& grid, std::int64_t cache_bytes, Load load);

  void read(std::uint64_t row, std::span<std::byte> out) const;

  // As those of Dataset, whose chunks are rows of chunks here. What is shared holds no less than
  // `cache_bytes` either.
  void keep(std::int64_t num_chunks) const;
  std::size_t shared_bytes(std::int64_t num_chunks) const;
  void share(std::span<std::byte> memory) const;

 private:
  std::uint64_t num_kept(std::int64_t num_chunks) const;

  ChunkGrid grid_;
  std::size_t chunk_bytes_;
  Load load_;
  std::uint64_t capacity_;  // of `cache_bytes`
  mutable ChunkCache cache_;
  mutable std::optional<SharedChunks> shared_;
};

}  // namespace lockstep::data
