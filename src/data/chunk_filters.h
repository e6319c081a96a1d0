// Undoes what HDF5's filters did to a chunk: deflate, shuffle and fletcher32, without the library.
// Knows nothing of files or shapes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace lockstep::data {

struct FilterStep {
  enum class Kind { kDeflate, kShuffle, kFletcher32 };
  Kind kind = Kind::kDeflate;
  std::size_t element_bytes = 1;  // of shuffle

  bool operator==(const FilterStep&) const = default;
};

// Fletcher's checksum as HDF5 stores it: 16-bit big-endian words, sums folded modulo 65535, an odd
// last byte as the high half of a word (J. Fletcher, IEEE Trans. Comm. 30, 1982).
std::uint32_t fletcher32(std::span<const std::byte> bytes);

// Puts bytes that lie plane by plane (first bytes of all elements, second bytes, ...) back
// together; what is left over at the end stays. Requires: equal sizes, no overlap.
void unshuffle(std::span<const std::byte> planes,
               std::size_t element_bytes,
               std::span<std::byte> out);

// Memory that undo() needs, reused from chunk to chunk. Thread: one at a time.
class FilterWorkspace {
 public:
  FilterWorkspace();
  ~FilterWorkspace();
  FilterWorkspace(const FilterWorkspace&) = delete;
  FilterWorkspace& operator=(const FilterWorkspace&) = delete;

  // Where the stored bytes of a chunk are put before undo(), and a whole chunk after it.
  std::span<std::byte> stored(std::size_t bytes) { return grown(0, bytes); }
  std::span<std::byte> chunk(std::size_t bytes) { return grown(1, bytes); }

 private:
  friend class ChunkFilters;
  struct Inflater;
  std::span<std::byte> grown(std::size_t buffer, std::size_t bytes);

  std::unique_ptr<Inflater> inflater_;
  std::vector<std::byte> buffers_[4];
};

// Thread: undo() from any thread, each with its own workspace.
class ChunkFilters {
 public:
  // `steps` in the order in which they were applied when the chunk was written. `chunk_bytes` is
  // the size before them. Requires: at most one deflate, at most 32 steps.
  ChunkFilters(std::vector<FilterStep> steps, std::size_t chunk_bytes);

  bool none() const { return steps_.empty(); }
  std::size_t chunk_bytes() const { return chunk_bytes_; }
  // More than an honest writer stores for a chunk.
  std::size_t max_stored_bytes() const { return 2 * chunk_bytes_ + 4096; }
  // Writes a whole chunk to `out`. Bit i of `mask`: step i was left out when it was written.
  // Returns why the chunk is damaged; empty when it is sound. Nothing is allocated for a stream
  // that inflates to more than a chunk.
  std::string_view undo(std::span<const std::byte> stored,
                        std::uint32_t mask,
                        std::span<std::byte> out,
                        FilterWorkspace& workspace) const;

 private:
  struct Stage;
  bool skipped(std::size_t step, std::uint32_t mask) const { return ((mask >> step) & 1) != 0; }

  std::vector<FilterStep> steps_;
  std::size_t chunk_bytes_;
};

}  // namespace lockstep::data
