// Chunks tile a shape without a gap, and their elements come to their place.
#include "chunk_grid.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

namespace lockstep::data {
namespace {

using Sides = std::vector<std::uint64_t>;

TEST(ChunkGrid, NumbersAndOriginsAgree) {
  const Sides shape{7, 5, 3};
  const Sides chunk{2, 3, 3};
  const ChunkGrid grid(shape, chunk);
  EXPECT_EQ(grid.num_chunks(), 8U);
  EXPECT_EQ(grid.chunks_per_row(), 2U);
  for (std::uint64_t number = 0; number < 8; ++number) {
    EXPECT_EQ(grid.number_at(grid.origin(number)), number);
  }
  EXPECT_EQ(grid.origin(3)[0], 2U);
  EXPECT_EQ(grid.origin(3)[1], 3U);
  EXPECT_EQ(grid.number_at({1, 0, 0}), 8U);
  EXPECT_EQ(grid.number_at({8, 0, 0}), 8U);
  EXPECT_FALSE(grid.partial(0));
  EXPECT_TRUE(grid.partial(1));
  EXPECT_TRUE(grid.partial(6));
}

TEST(ChunkGrid, TooManyChunksSaturate) {
  const std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(ChunkGrid(Sides{huge, huge}, Sides{1, 1}).num_chunks(), huge);
  EXPECT_EQ(ChunkGrid(Sides{huge}, Sides{2}).num_chunks(), huge / 2 + 1);
  EXPECT_EQ(ChunkGrid(Sides{0, 4}, Sides{2, 2}).num_chunks(), 0U);
}

// Cuts an array into chunks and puts rows together again.
void check_rows(const Sides& shape, const Sides& chunk, std::size_t element) {
  const ChunkGrid grid(shape, chunk);
  std::size_t row = element;
  for (std::size_t dim = 1; dim < shape.size(); ++dim) row *= shape[dim];
  std::vector<std::byte> whole(row * shape[0]);
  for (std::size_t i = 0; i < whole.size(); ++i) whole[i] = static_cast<std::byte>(i * 7 % 251);
  std::vector<std::byte> out(whole.size());
  std::size_t chunk_bytes = element;
  for (const auto side : chunk) chunk_bytes *= side;
  for (std::uint64_t number = 0; number < grid.num_chunks(); ++number) {
    std::vector<std::byte> bytes(chunk_bytes);
    const Coordinates origin = grid.origin(number);
    for (std::size_t i = 0; i < chunk_bytes / element; ++i) {
      std::size_t rest = i;
      std::size_t place = 0;
      std::size_t stride = 1;
      bool inside = true;
      for (std::size_t dim = shape.size(); dim-- > 0;) {
        const std::size_t at = origin[dim] + rest % chunk[dim];
        rest /= chunk[dim];
        inside = inside && at < shape[dim];
        place += at * stride;
        stride *= shape[dim];
      }
      if (inside) std::memcpy(&bytes[i * element], &whole[place * element], element);
    }
    for (std::uint64_t r = origin[0]; r < std::min(origin[0] + chunk[0], shape[0]); ++r) {
      copy_from_chunk(grid, number, bytes, element, {r, 1}, std::span(out).subspan(r * row, row));
    }
    std::vector<std::byte> all(whole.size());
    copy_from_chunk(grid, number, bytes, element, {0, shape[0]}, all);
  }
  EXPECT_EQ(out, whole);
}

TEST(ChunkGrid, RowsComeTogetherForEveryCut) {
  check_rows({6, 4, 5}, {1, 4, 5}, 1);
  check_rows({6, 4, 5}, {4, 4, 5}, 1);
  check_rows({7, 4, 5, 3}, {2, 3, 2, 2}, 1);
  check_rows({7, 4, 5, 3}, {2, 4, 2, 3}, 1);
  check_rows({7, 4, 5}, {10, 8, 7}, 1);
  check_rows({7}, {3}, 8);
  check_rows({1, 9}, {1, 2}, 4);
}

}  // namespace
}  // namespace lockstep::data
