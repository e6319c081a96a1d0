// What becomes of one sample on a reader thread: its bytes, checked, decoded, brought to the size
// of the batch. Knows nothing of batches, orders or threads.
#pragma once

#include "sample_cache.h"

#include <lockstep/data/loader.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace lockstep::data {

// Thread: read() from any thread, each with a scratch of its own.
class SampleReader {
 public:
  struct Scratch {
    std::vector<std::byte> stored;
  };

  // Throws: Error(kConfig) for images of differing sizes without a target, unless they are of a
  // detection data set, of which only parts are read.
  SampleReader(const Dataset& dataset, const LoaderOptions& options);

  // Of every sample that read() gives.
  ImageSize size() const { return size_; }
  std::size_t sample_bytes() const { return sample_bytes_; }
  // Whether images are decoded, cropped and resized here; a mirror is left to the pass over the
  // batch.
  bool applies_geometry() const { return decodes_; }
  // Pixels (H, W, C); returns the bytes read from the file. Requires: out has sample_bytes().
  // Throws: Error(kBadData) naming the sample, Error(kIo).
  std::int64_t read(std::int64_t index,
                    std::int64_t epoch,
                    bool verify,
                    std::span<std::byte> out,
                    Scratch& scratch) const;
  // The same of the part `region` of an image, whatever its encoding, resized to `to`. Requires:
  // out has room for it.
  std::int64_t read_part(std::int64_t index,
                         const Region& region,
                         ImageSize to,
                         bool verify,
                         std::span<std::byte> out,
                         Scratch& scratch) const;

 private:
  std::int64_t read_plain(std::int64_t index, bool verify, std::span<std::byte> out) const;
  void shape(std::int64_t index,
             const Region& region,
             ImageSize to,
             const Scratch& scratch,
             std::span<std::byte> out) const;

  const Dataset& dataset_;
  bool decodes_;
  bool compressed_;
  bool training_;
  AugmentOptions augment_;
  std::uint64_t seed_;
  ImageSize size_;
  std::int32_t channels_;
  std::size_t sample_bytes_;
  bool whole_ = false;  // decode whole images, whatever part is wanted
  std::optional<SampleCache> cache_;
};

}  // namespace lockstep::data
