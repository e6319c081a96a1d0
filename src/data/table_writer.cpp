#include "table_writer.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>

#include <algorithm>
#include <utility>

namespace lockstep::data {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

}  // namespace

TableWriter::TableWriter(const Hdf5Session& session,
                         hid_t file,
                         std::filesystem::path path,
                         std::string key,
                         hid_t element,
                         std::vector<hsize_t> shape)
    : path_(std::move(path)), key_(std::move(key)), shape_(std::move(shape)), element_(element) {
  row_bytes_ = H5Tget_size(element);
  for (std::size_t i = 1; i < shape_.size(); ++i) row_bytes_ *= shape_[i];
  buffer_limit_ = std::max<std::size_t>(kBufferBytes / row_bytes_, 1) * row_bytes_;
  buffer_.reserve(buffer_limit_);
  const Hid space(H5Screate_simple(static_cast<int>(shape_.size()), shape_.data(), nullptr),
                  H5Sclose);
  const Hid creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_layout(creation.get(), H5D_CONTIGUOUS);
  // Early: the place in the file is fixed before the first byte. Never: no second pass of zeros.
  H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER);
  // No times: the same samples give the same bytes.
  H5Pset_obj_track_times(creation.get(), false);
  dataset_ =
      Hid(H5Dcreate2(
              file, key_.c_str(), element, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
          H5Dclose);
  if (!dataset_) {
    throw io_error(format(
        "cannot make data set \"{}\" in {}: {}", key_, path_.string(), hdf5_reason(session)));
  }
}

void TableWriter::append(const Hdf5Session& session, std::span<const std::byte> rows) {
  LOCKSTEP_CHECK(rows.size() % row_bytes_ == 0, "whole rows only");
  LOCKSTEP_CHECK(rows_written() + rows.size() / row_bytes_ <= shape_[0], "too many rows");
  crc_ = crc32c(rows, crc_);
  while (!rows.empty()) {
    const std::size_t part = std::min(rows.size(), buffer_limit_ - buffer_.size());
    buffer_.insert(buffer_.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(part));
    rows = rows.subspan(part);
    if (buffer_.size() == buffer_limit_) flush(session);
  }
}

void TableWriter::flush(const Hdf5Session& session) {
  if (buffer_.empty()) return;
  std::vector<hsize_t> start(shape_.size(), 0);
  std::vector<hsize_t> count = shape_;
  start[0] = next_row_;
  count[0] = buffer_.size() / row_bytes_;
  const Hid space(H5Dget_space(dataset_.get()), H5Sclose);
  const Hid memory(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr),
                   H5Sclose);
  if (!space || !memory ||
      H5Sselect_hyperslab(
          space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr) < 0 ||
      H5Dwrite(dataset_.get(), element_, memory.get(), space.get(), H5P_DEFAULT, buffer_.data()) <
          0) {
    throw io_error(format(
        "cannot write data set \"{}\" of {}: {}", key_, path_.string(), hdf5_reason(session)));
  }
  next_row_ += count[0];
  buffer_.clear();
}

std::uint64_t TableWriter::offset_bytes(const Hdf5Session&) const {
  const haddr_t offset = H5Dget_offset(dataset_.get());
  LOCKSTEP_CHECK(offset != HADDR_UNDEF, "a contiguous data set has its place from the start");
  return offset;
}

}  // namespace lockstep::data
