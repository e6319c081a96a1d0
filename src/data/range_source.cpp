#include "range_source.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <utility>

namespace lockstep::data {

RangeSource::RangeSource(std::shared_ptr<const FilePool> pool,
                         std::size_t file,
                         const Extent& extent)
    : pool_(std::move(pool)), file_(file), extent_(extent) {
  LOCKSTEP_CHECK((extent.sample_bytes > 0) == extent.offsets.empty(),
                 "one size for all samples, or a place for each");
}

void RangeSource::read(std::int64_t index, std::span<std::byte> out) const {
  pool_->read(file_, begin_of(index), out);
}

std::string RangeSource::place(std::int64_t index) const {
  return format("bytes {} to {}", begin_of(index), begin_of(index + 1) - 1);
}

std::uint64_t RangeSource::begin_of(std::int64_t index) const {
  const auto row = static_cast<std::size_t>(index);
  return extent_.begin +
         (extent_.offsets.empty() ? row * extent_.sample_bytes : extent_.offsets[row]);
}

}  // namespace lockstep::data
