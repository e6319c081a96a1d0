#include "kept_chunks.h"

#include <lockstep/base/error.h>

#include <algorithm>
#include <utility>

namespace lockstep::data {
namespace {

std::size_t elements_of(const ChunkGrid& grid) {
  std::uint64_t elements = 1;
  for (std::size_t dim = 0; dim < grid.rank(); ++dim) elements *= grid.chunk(dim);
  return elements;
}

std::uint64_t capacity(std::int64_t cache_bytes, const ChunkGrid& grid) {
  // Chunks of one sample are not wanted twice.
  if (grid.chunk(0) == 1) return grid.chunks_per_row();
  const auto bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(cache_bytes, 0));
  return std::max<std::uint64_t>(bytes / elements_of(grid), grid.chunks_per_row());
}

}  // namespace

KeptChunks::KeptChunks(const ChunkGrid& grid, std::int64_t cache_bytes, Load load)
    : grid_(grid),
      chunk_bytes_(elements_of(grid)),
      load_(std::move(load)),
      capacity_(capacity(cache_bytes, grid)),
      cache_(chunk_bytes_, capacity_) {}

void KeptChunks::read(std::uint64_t row, std::span<std::byte> out) const {
  const std::uint64_t top = row / grid_.chunk(0) * grid_.chunk(0);
  const std::uint64_t uses = std::min(grid_.chunk(0), grid_.shape(0) - top);
  const std::uint64_t first = row / grid_.chunk(0) * grid_.chunks_per_row();
  for (std::uint64_t number = first; number < first + grid_.chunks_per_row(); ++number) {
    const auto load = [this, number](std::span<std::byte> bytes) { load_(number, bytes); };
    if (shared_) {
      if (const auto held = shared_->get(number, uses, load)) {
        copy_from_chunk(grid_, number, held->bytes(), 1, {row, 1}, out);
        continue;
      }
    }
    copy_from_chunk(grid_, number, *cache_.get(number, load), 1, {row, 1}, out);
  }
}

std::uint64_t KeptChunks::num_kept(std::int64_t num_chunks) const {
  const std::uint64_t kept =
      static_cast<std::uint64_t>(std::max<std::int64_t>(num_chunks, 1)) * grid_.chunks_per_row();
  return std::min(kept, grid_.num_chunks());
}

void KeptChunks::keep(std::int64_t num_chunks) const {
  cache_.keep(static_cast<std::size_t>(num_kept(num_chunks)));
}

std::size_t KeptChunks::shared_bytes(std::int64_t num_chunks) const {
  const std::uint64_t kept =
      std::max(num_kept(num_chunks), std::min(capacity_, grid_.num_chunks()));
  return SharedChunks::memory_bytes(grid_.num_chunks(), chunk_bytes_, kept);
}

void KeptChunks::share(std::span<std::byte> memory) const {
  if (shared_ && shared_->is_over(memory)) return;
  shared_.emplace(memory, grid_.num_chunks(), chunk_bytes_);
}

}  // namespace lockstep::data
