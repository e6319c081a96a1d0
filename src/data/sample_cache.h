// Decoded samples in memory that the caller hands in; several processes may share it. Knows nothing
// of files.
#pragma once

#include <lockstep/data/image.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace lockstep::data {

// What fits first stays: nothing is ever moved or dropped, so a found sample is good as long as the
// memory. A process that dies while it stores a sample leaves that sample out, nothing else.
// Thread: every function from any thread of any process that shares the memory; nothing waits.
class SampleCache {
 public:
  struct Found {
    ImageSize size;
    std::int32_t channels = 0;
    std::span<const std::byte> pixels;  // (H, W, C)
  };

  // Requires: the memory is aligned to 64 bytes and was zeroed before the first SampleCache was
  // made over it; everyone who shares it names the same number of samples. Too little memory for
  // the table of samples: nothing is ever kept.
  SampleCache(std::span<std::byte> memory, std::int64_t num_samples);

  // What the table of states and one sample cost.
  static std::size_t table_bytes(std::int64_t num_samples);
  static std::size_t record_bytes(std::size_t pixel_bytes);

  std::optional<Found> find(std::int64_t index) const;
  // Stores a copy unless the sample is there, being stored, or does not fit.
  void keep(std::int64_t index,
            ImageSize size,
            std::int32_t channels,
            std::span<const std::byte> pixels) const;
  // Whether another sample of this many bytes would fit.
  bool has_room(std::size_t pixel_bytes) const;

 private:
  std::uint32_t* state(std::int64_t index) const;

  std::span<std::byte> memory_;
  std::int64_t num_samples_;
  std::uint64_t num_blocks_;  // of the whole memory; 0: too small
};

}  // namespace lockstep::data
