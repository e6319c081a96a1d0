// Images that lie one behind the other in a file: positional reads at known places, without HDF5.
#pragma once

#include "file_pool.h"
#include "pixel_source.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace lockstep::data {

struct Extent {
  std::uint64_t begin = 0;                 // of the first sample in the file
  std::uint64_t sample_bytes = 0;          // of each; 0: see offsets
  std::span<const std::uint64_t> offsets;  // (N + 1) from `begin`; must outlive the source
};

class RangeSource final : public PixelSource {
 public:
  RangeSource(std::shared_ptr<const FilePool> pool, std::size_t file, const Extent& extent);

  void read(std::int64_t index, std::span<std::byte> out) const override;
  std::string place(std::int64_t index) const override;

 private:
  std::uint64_t begin_of(std::int64_t index) const;

  std::shared_ptr<const FilePool> pool_;
  std::size_t file_;
  Extent extent_;
};

}  // namespace lockstep::data
