#include "chunk_index.h"

#include "chunk_filters.h"
#include "chunk_walk.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>

namespace lockstep::data {
namespace {

constexpr std::uint64_t kMaxChunks = std::uint64_t{1} << 25;
// A shape of more chunks than this may be stored in part, but not in a small part.
constexpr std::uint64_t kMaxSparseChunks = std::uint64_t{1} << 16;
constexpr std::uint64_t kMaxMissing = 16;
// Nor may more than half of it, and this much of memory, never have been written.
constexpr std::uint64_t kMaxUnwrittenBytes = std::uint64_t{256} << 20;

struct Reader {
  const Hdf5Session& session;
  const std::filesystem::path& path;
  const StoredArray& array;

  Error refuse(const std::string& what) const {
    return data_error(format("{}: data set \"{}\" {}", path.string(), array.key, what));
  }

  // How many chunks the file says it holds, before memory is taken for the shape's.
  std::uint64_t announced(std::uint64_t in_shape) const {
    hsize_t count = 0;
    const Hid space(H5Dget_space(array.dataset.get()), H5Sclose);
    if (!space || H5Dget_num_chunks(array.dataset.get(), space.get(), &count) < 0) {
      throw refuse(format("has a chunk index that cannot be read ({})", hdf5_reason(session)));
    }
    if (in_shape > kMaxChunks) {
      throw refuse(
          format("of shape {} has {} chunks, this version reads {}: store it in larger ones",
                 array.shape_text(),
                 in_shape,
                 kMaxChunks));
    }
    if (in_shape > 0 && count == 0) {
      throw refuse("has a shape but no bytes were ever written");
    }
    const bool sparse =
        (in_shape > kMaxSparseChunks && count < in_shape / kMaxMissing) ||
        (count < in_shape / 2 && in_shape - count > kMaxUnwrittenBytes / array.chunk_bytes);
    if (count > in_shape || sparse) {
      throw refuse(
          format("of shape {} has {} chunks but stores {}: it is damaged or made to look "
                 "large",
                 array.shape_text(),
                 in_shape,
                 count));
    }
    return count;
  }

  void check(const StoredChunk& chunk, std::uint64_t max_stored, std::uint64_t file_bytes) const {
    std::uint64_t end = 0;
    if (__builtin_add_overflow(chunk.offset_bytes, std::uint64_t{chunk.stored_bytes}, &end) ||
        end > file_bytes) {
      throw refuse(
          format("has a chunk at bytes {} to {}, the file ends at {}: it is truncated, "
                 "copy it again",
                 chunk.offset_bytes,
                 end,
                 file_bytes));
    }
    if (chunk.stored_bytes > max_stored) {
      throw refuse(
          format("has a chunk of {} stored bytes, more than filters make of {}: it is "
                 "damaged",
                 chunk.stored_bytes,
                 array.chunk_bytes));
    }
  }
};

}  // namespace

void check_written(const Hdf5Session& session,
                   const std::filesystem::path& path,
                   const StoredArray& array) {
  Reader{session, path, array}.announced(ChunkGrid(array.shape, array.chunk).num_chunks());
}

ChunkIndex read_chunk_index(const Hdf5Session& session,
                            const std::filesystem::path& path,
                            const StoredArray& array) {
  LOCKSTEP_CHECK(array.layout == "chunked", "only chunked storage has an index");
  const Reader reader{session, path, array};
  ChunkIndex index;
  index.grid = ChunkGrid(array.shape, array.chunk);
  const std::uint64_t announced = reader.announced(index.grid.num_chunks());
  index.chunks.resize(index.grid.num_chunks());
  index.num_stored = walk_chunks(session, path, array, index.grid, index.chunks);
  if (index.num_stored != announced) {
    throw reader.refuse(
        format("names {} chunks in its index but {} can be found: it is damaged, "
               "copy or make it again",
               announced,
               index.num_stored));
  }
  const FileHandle file = open_for_reading(path);
  const std::uint64_t file_bytes = file_size_bytes(file, path);
  const std::uint64_t max_stored = ChunkFilters(array.steps, array.chunk_bytes).max_stored_bytes();
  for (const StoredChunk& chunk : index.chunks) {
    if (chunk.stored_bytes == 0) continue;
    reader.check(chunk, max_stored, file_bytes);
    index.stored_bytes += chunk.stored_bytes;
  }
  if (index.stored_bytes > file_bytes) {
    throw reader.refuse(
        "has chunks that lie on top of each other: it is damaged or made to look "
        "large");
  }
  return index;
}

}  // namespace lockstep::data
