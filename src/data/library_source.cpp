#include "library_source.h"

#include "chunk_index.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace lockstep::data {

struct LibrarySource::Block {
  std::vector<hsize_t> start;
  std::vector<hsize_t> count;
  std::vector<hsize_t> memory;  // its first elements are the block
};

LibrarySource::LibrarySource(const Hdf5Session& session,
                             std::shared_ptr<LibraryPool> pool,
                             const std::filesystem::path& path,
                             Hid file,
                             StoredArray array,
                             std::optional<std::int64_t> cache_bytes)
    : pool_(std::move(pool)), path_(path), array_(std::move(array)) {
  const bool apart = array_.chunk.empty() || (whole_samples() && array_.chunk[0] == 1);
  if (cache_bytes && !apart) {
    check_written(session, path, array_);
    const ChunkGrid grid(array_.shape, array_.chunk);
    if (grid.chunks_per_row() <= kMaxChunkBytes / array_.chunk_bytes) {
      kept_.emplace(grid, *cache_bytes, [this](std::uint64_t number, std::span<std::byte> out) {
        read_chunk(number, out);
      });
    }
  }
  number_ = pool_->add(session, path, array_, std::move(file));
}

bool LibrarySource::whole_samples() const {
  return std::equal(array_.chunk.begin() + 1, array_.chunk.end(), array_.shape.begin() + 1);
}

void LibrarySource::read(std::int64_t index, std::span<std::byte> out) const {
  if (kept_) return kept_->read(static_cast<std::uint64_t>(index), out);
  Block block;
  block.start.assign(array_.shape.size(), 0);
  block.start[0] = static_cast<hsize_t>(index);
  block.count.assign(array_.shape.begin(), array_.shape.end());
  block.count[0] = 1;
  block.memory = block.count;
  read_block(block, out);
}

void LibrarySource::read_chunk(std::uint64_t number, std::span<std::byte> out) const {
  const ChunkGrid grid(array_.shape, array_.chunk);
  const Coordinates origin = grid.origin(number);
  Block block;
  for (std::size_t dim = 0; dim < grid.rank(); ++dim) {
    block.start.push_back(origin[dim]);
    block.count.push_back(std::min(grid.chunk(dim), grid.shape(dim) - origin[dim]));
    block.memory.push_back(grid.chunk(dim));
  }
  read_block(block, out);
}

void LibrarySource::read_block(const Block& block, std::span<std::byte> out) const {
  const Hdf5Session session;
  const hid_t dataset = pool_->dataset(session, number_);
  const auto rank = static_cast<int>(block.start.size());
  const std::vector<hsize_t> zero(block.start.size(), 0);
  const Hid memory(H5Screate_simple(rank, block.memory.data(), nullptr), H5Sclose);
  const Hid space(H5Dget_space(dataset), H5Sclose);
  const auto select = [&block](const Hid& where, const std::vector<hsize_t>& start) {
    return where &&
           H5Sselect_hyperslab(
               where.get(), H5S_SELECT_SET, start.data(), nullptr, block.count.data(), nullptr) >=
               0;
  };
  if (select(space, block.start) && select(memory, zero) &&
      H5Dread(dataset, H5T_NATIVE_UINT8, memory.get(), space.get(), H5P_DEFAULT, out.data()) >= 0) {
    return;
  }
  const std::string samples = block.count[0] == 1 ? format("sample {}", block.start[0])
                                                  : format("the chunk of samples {} to {}",
                                                           block.start[0],
                                                           block.start[0] + block.count[0] - 1);
  throw data_error(format("{}: {} of data set \"{}\" cannot be read ({})",
                          path_.string(),
                          samples,
                          array_.key,
                          hdf5_reason(session)));
}

std::string LibrarySource::place(std::int64_t) const {
  return format("{} data set \"{}\"", array_.layout, array_.key);
}

std::int64_t LibrarySource::samples_per_chunk() const {
  if (array_.chunk.empty()) return 1;
  const bool plain = array_.steps.empty() && array_.library_only.empty();
  return whole_samples() && plain ? 1 : static_cast<std::int64_t>(array_.chunk[0]);
}

void LibrarySource::keep_chunks(std::int64_t num_chunks) const {
  if (kept_) kept_->keep(num_chunks);
}

std::size_t LibrarySource::shared_chunk_bytes(std::int64_t num_chunks) const {
  return kept_ ? kept_->shared_bytes(num_chunks) : 0;
}

void LibrarySource::share_chunks(std::span<std::byte> memory) const {
  if (kept_) kept_->share(memory);
}

}  // namespace lockstep::data
