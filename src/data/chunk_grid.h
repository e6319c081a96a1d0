// How a shape is cut into chunks, and the way of elements from a chunk to their place in rows.
// Knows nothing of files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace lockstep::data {

inline constexpr std::size_t kMaxRank = 8;
using Coordinates = std::array<std::uint64_t, kMaxRank>;

// Chunks are numbered in the order of their first elements. A row is everything of one index of the
// first dimension.
class ChunkGrid {
 public:
  ChunkGrid() = default;
  // Requires: equal ranks of 1 to kMaxRank, no side of a chunk is zero.
  ChunkGrid(std::span<const std::uint64_t> shape, std::span<const std::uint64_t> chunk);

  std::size_t rank() const { return rank_; }
  std::uint64_t shape(std::size_t dim) const { return shape_[dim]; }
  std::uint64_t chunk(std::size_t dim) const { return chunk_[dim]; }
  // The largest number when there are more than fit.
  std::uint64_t num_chunks() const { return num_chunks_; }
  // How many chunks the rows [chunk(0) * i, chunk(0) * (i + 1)) are cut into.
  std::uint64_t chunks_per_row() const { return chunks_per_row_; }
  // First element of a chunk.
  Coordinates origin(std::uint64_t number) const;
  // The chunk whose first element this is; num_chunks() when there is none.
  std::uint64_t number_at(const Coordinates& first) const;
  // Whether it reaches over the edge of the shape.
  bool partial(std::uint64_t number) const;

 private:
  std::size_t rank_ = 0;
  Coordinates shape_{};
  Coordinates chunk_{};
  Coordinates counts_{};
  std::uint64_t num_chunks_ = 0;
  std::uint64_t chunks_per_row_ = 1;
};

struct Rows {
  std::uint64_t first = 0;
  std::uint64_t count = 1;
};

// Copies what chunk `number` holds of `rows` to its place in `out`, which holds just these rows.
// Requires: the chunk holds at least one of them.
void copy_from_chunk(const ChunkGrid& grid,
                     std::uint64_t number,
                     std::span<const std::byte> chunk,
                     std::size_t element_bytes,
                     Rows rows,
                     std::span<std::byte> out);

}  // namespace lockstep::data
