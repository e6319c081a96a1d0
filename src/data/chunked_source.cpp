#include "chunked_source.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace lockstep::data {

// A workspace for one call, given back at its end.
class ChunkReader::Lease {
 public:
  explicit Lease(const ChunkReader& reader) : reader_(reader) {
    const std::lock_guard lock(reader_.mutex_);
    if (reader_.idle_.empty()) return;
    workspace_ = std::move(reader_.idle_.back());
    reader_.idle_.pop_back();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    if (workspace_ == nullptr) return;
    const std::lock_guard lock(reader_.mutex_);
    reader_.idle_.push_back(std::move(workspace_));
  }
  FilterWorkspace& get() {
    if (workspace_ == nullptr) workspace_ = std::make_unique<FilterWorkspace>();
    return *workspace_;
  }

 private:
  const ChunkReader& reader_;
  std::unique_ptr<FilterWorkspace> workspace_;
};

ChunkReader::ChunkReader(const Hdf5Session& session,
                         std::shared_ptr<const FilePool> pool,
                         std::size_t file,
                         const StoredArray& array)
    : pool_(std::move(pool)),
      file_(file),
      key_(array.key),
      index_(read_chunk_index(session, pool_->path(file), array)),
      filters_(array.steps, array.chunk_bytes),
      fill_(array.fill),
      whole_edges_only_(array.whole_edges_only) {
  LOCKSTEP_CHECK(array.library_only.empty(), "storage that only the library reads");
  // Leases are given back without an allocation that could fail.
  idle_.reserve(1024);
}

void ChunkReader::fill(std::span<std::byte> out) const {
  if (std::all_of(fill_.begin(), fill_.end(), [this](std::byte b) { return b == fill_[0]; })) {
    std::memset(out.data(), std::to_integer<int>(fill_[0]), out.size());
    return;
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = fill_[i % fill_.size()];
}

std::string ChunkReader::place(std::uint64_t number) const {
  const StoredChunk& chunk = index_.chunks[number];
  if (chunk.stored_bytes == 0) return format("chunk {}, never written", number);
  return format("chunk {} at bytes {} to {}",
                number,
                chunk.offset_bytes,
                chunk.offset_bytes + chunk.stored_bytes - 1);
}

void ChunkReader::read(std::uint64_t number, std::span<std::byte> out) const {
  const StoredChunk& chunk = index_.chunks[number];
  if (chunk.stored_bytes == 0) return fill(out);
  const bool bare = whole_edges_only_ && index_.grid.partial(number);
  const std::uint32_t mask = bare ? std::numeric_limits<std::uint32_t>::max() : chunk.filter_mask;
  if (filters_.none() && chunk.stored_bytes == out.size()) {
    return pool_->read(file_, chunk.offset_bytes, out);
  }
  Lease lease(*this);
  FilterWorkspace& workspace = lease.get();
  const auto stored = workspace.stored(chunk.stored_bytes);
  pool_->read(file_, chunk.offset_bytes, stored);
  const std::string_view fault = filters_.undo(stored, mask, out, workspace);
  if (fault.empty()) return;
  throw data_error(format(
      "{}: data set \"{}\": {} {}", pool_->path(file_).string(), key_, place(number), fault));
}

void ChunkReader::read_part(std::uint64_t number,
                            std::uint64_t begin,
                            std::span<std::byte> out) const {
  const StoredChunk& chunk = index_.chunks[number];
  if (chunk.stored_bytes == 0) return fill(out);
  if (begin + out.size() > chunk.stored_bytes) {
    throw data_error(format("{}: data set \"{}\": {} is of another size than its chunk shape says",
                            pool_->path(file_).string(),
                            key_,
                            place(number)));
  }
  pool_->read(file_, chunk.offset_bytes + begin, out);
}

ChunkedSource::ChunkedSource(const Hdf5Session& session,
                             const std::shared_ptr<const FilePool>& pool,
                             std::size_t file,
                             const StoredArray& array,
                             std::int64_t cache_bytes)
    : reader_(session, pool, file, array),
      sample_bytes_(array.size_bytes / array.shape[0]),
      whole_samples_(
          std::equal(array.shape.begin() + 1, array.shape.end(), array.chunk.begin() + 1)),
      kept_(reader_.index().grid,
            cache_bytes,
            [this](std::uint64_t number, std::span<std::byte> out) { read_chunk(number, out); }) {
  if (sample_bytes_ <= kMaxChunkBytes &&
      reader_.index().grid.chunks_per_row() <= kMaxChunkBytes / array.chunk_bytes) {
    return;
  }
  throw data_error(
      format("{}: data set \"{}\" of shape {} has samples over {} MiB: store it in "
             "smaller chunks",
             pool->path(file).string(),
             array.key,
             array.shape_text(),
             kMaxChunkBytes >> 20));
}

void ChunkedSource::read_chunk(std::uint64_t number, std::span<std::byte> out) const {
  chunks_read_.fetch_add(1, std::memory_order_relaxed);
  reader_.read(number, out);
}

void ChunkedSource::read(std::int64_t index, std::span<std::byte> out) const {
  const ChunkGrid& grid = reader_.index().grid;
  const auto row = static_cast<std::uint64_t>(index);
  const std::uint64_t first = row / grid.chunk(0) * grid.chunks_per_row();
  if (whole_samples_ && reader_.plain()) {
    return reader_.read_part(first, row % grid.chunk(0) * sample_bytes_, out);
  }
  if (whole_samples_ && grid.chunk(0) == 1) return read_chunk(first, out);
  kept_.read(row, out);
}

std::string ChunkedSource::place(std::int64_t index) const {
  const ChunkGrid& grid = reader_.index().grid;
  return reader_.place(static_cast<std::uint64_t>(index) / grid.chunk(0) * grid.chunks_per_row());
}

std::int64_t ChunkedSource::samples_per_chunk() const {
  if (whole_samples_ && reader_.plain()) return 1;
  return static_cast<std::int64_t>(reader_.index().grid.chunk(0));
}

std::vector<std::byte> read_all_chunks(const Hdf5Session& session,
                                       const std::filesystem::path& path,
                                       const StoredArray& array) {
  const auto pool = std::make_shared<FilePool>(1);
  const ChunkReader reader(session, pool, pool->add(path), array);
  const ChunkGrid& grid = reader.index().grid;
  std::vector<std::byte> all(array.size_bytes);
  std::vector<std::byte> chunk(array.chunk_bytes);
  for (std::uint64_t number = 0; number < grid.num_chunks(); ++number) {
    reader.read(number, chunk);
    const std::uint64_t first = grid.origin(number)[0];
    const Rows rows{0, grid.shape(0)};
    LOCKSTEP_CHECK(first < grid.shape(0), "a chunk outside the shape");
    copy_from_chunk(grid, number, chunk, array.element_bytes, rows, all);
  }
  return all;
}

}  // namespace lockstep::data
