// Exact mean and standard deviation per channel of u8 pixels, scaled to [0, 1].
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lockstep::data {

// Counts values, so that the result does not depend on the order of samples.
class PixelStatistics {
 public:
  explicit PixelStatistics(std::int64_t channels);
  // Interleaved channels: (…, C).
  void add(std::span<const std::byte> pixels);
  // Requires: as many channels.
  void add(const PixelStatistics& other);
  // 0.5 where there are no pixels.
  std::vector<double> mean() const;
  // Population standard deviation; 1 where all pixels of a channel are alike, 0.5 where there are
  // none.
  std::vector<double> deviation() const;

 private:
  std::size_t channels_;
  std::vector<std::uint64_t> counts_;  // (C, 256)
};

}  // namespace lockstep::data
