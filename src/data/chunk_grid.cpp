#include "chunk_grid.h"

#include <lockstep/base/error.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace lockstep::data {

ChunkGrid::ChunkGrid(std::span<const std::uint64_t> shape, std::span<const std::uint64_t> chunk)
    : rank_(shape.size()), num_chunks_(1) {
  LOCKSTEP_CHECK(rank_ >= 1 && rank_ <= kMaxRank && chunk.size() == rank_, "no grid of this rank");
  for (std::size_t dim = 0; dim < rank_; ++dim) {
    LOCKSTEP_CHECK(chunk[dim] > 0, "a chunk without elements");
    shape_[dim] = shape[dim];
    chunk_[dim] = chunk[dim];
    counts_[dim] = shape[dim] / chunk[dim] + (shape[dim] % chunk[dim] == 0 ? 0 : 1);
    if (dim > 0 && __builtin_mul_overflow(chunks_per_row_, counts_[dim], &chunks_per_row_)) {
      chunks_per_row_ = std::numeric_limits<std::uint64_t>::max();
    }
  }
  if (__builtin_mul_overflow(chunks_per_row_, counts_[0], &num_chunks_)) {
    num_chunks_ = std::numeric_limits<std::uint64_t>::max();
  }
}

Coordinates ChunkGrid::origin(std::uint64_t number) const {
  Coordinates first{};
  for (std::size_t dim = rank_; dim-- > 0;) {
    first[dim] = number % counts_[dim] * chunk_[dim];
    number /= counts_[dim];
  }
  return first;
}

std::uint64_t ChunkGrid::number_at(const Coordinates& first) const {
  std::uint64_t number = 0;
  for (std::size_t dim = 0; dim < rank_; ++dim) {
    if (first[dim] >= shape_[dim] || first[dim] % chunk_[dim] != 0) return num_chunks_;
    number = number * counts_[dim] + first[dim] / chunk_[dim];
  }
  return number;
}

bool ChunkGrid::partial(std::uint64_t number) const {
  const Coordinates first = origin(number);
  for (std::size_t dim = 0; dim < rank_; ++dim) {
    if (chunk_[dim] > shape_[dim] - first[dim]) return true;
  }
  return false;
}

namespace {

// Nested loops over the outer dimensions, one copy of `run_bytes` at the innermost.
struct BlockCopy {
  std::size_t depth = 0;
  Coordinates extent{};
  Coordinates from_stride{};  // bytes
  Coordinates to_stride{};
  std::size_t run_bytes = 0;

  void run(std::size_t dim, const std::byte* from, std::byte* to) const {
    if (dim == depth) {
      std::memcpy(to, from, run_bytes);
      return;
    }
    for (std::uint64_t i = 0; i < extent[dim]; ++i) {
      run(dim + 1, from + i * from_stride[dim], to + i * to_stride[dim]);
    }
  }
};

}  // namespace

void copy_from_chunk(const ChunkGrid& grid,
                     std::uint64_t number,
                     std::span<const std::byte> chunk,
                     std::size_t element_bytes,
                     Rows rows,
                     std::span<std::byte> out) {
  const Coordinates origin = grid.origin(number);
  BlockCopy copy;
  std::uint64_t from_stride = element_bytes;
  std::uint64_t to_stride = element_bytes;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  for (std::size_t dim = grid.rank(); dim-- > 0;) {
    const Rows wanted = dim == 0 ? rows : Rows{0, grid.shape(dim)};
    const std::uint64_t begin = std::max(origin[dim], wanted.first);
    const std::uint64_t end =
        std::min({origin[dim] + grid.chunk(dim), grid.shape(dim), wanted.first + wanted.count});
    LOCKSTEP_CHECK(begin < end, "the chunk holds none of the rows");
    copy.extent[dim] = end - begin;
    copy.from_stride[dim] = from_stride;
    copy.to_stride[dim] = to_stride;
    from += (begin - origin[dim]) * from_stride;
    to += (begin - wanted.first) * to_stride;
    from_stride *= grid.chunk(dim);
    to_stride *= wanted.count;
  }
  LOCKSTEP_CHECK(from_stride <= chunk.size() && to_stride <= out.size(), "buffers too small");
  // Inner dimensions that lie alike on both sides are one run.
  copy.depth = grid.rank() - 1;
  copy.run_bytes = copy.extent[copy.depth] * element_bytes;
  while (copy.depth > 0 && copy.run_bytes == copy.from_stride[copy.depth - 1] &&
         copy.run_bytes == copy.to_stride[copy.depth - 1]) {
    --copy.depth;
    copy.run_bytes *= copy.extent[copy.depth];
  }
  copy.run(0, chunk.data() + from, out.data() + to);
}

}  // namespace lockstep::data
