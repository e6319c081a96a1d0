// Appends rows to one contiguous data set of known size through a bounded buffer, with the CRC-32C
// of everything written. Knows nothing of what the rows mean.
#pragma once

#include "hdf5_session.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace lockstep::data {

class TableWriter {
 public:
  // `element` is the stored type, for example H5T_STD_U8LE. Throws: Error(kIo).
  TableWriter(const Hdf5Session& session,
              hid_t file,
              std::filesystem::path path,
              std::string key,
              hid_t element,
              std::vector<hsize_t> shape);

  // Whole rows, in the stored type's byte order. Throws: Error(kIo).
  void append(const Hdf5Session& session, std::span<const std::byte> rows);
  // Requires: all rows were appended. Throws: Error(kIo).
  void flush(const Hdf5Session& session);

  const std::string& key() const { return key_; }
  std::uint32_t crc() const { return crc_; }
  std::uint64_t rows_written() const { return next_row_ + buffer_.size() / row_bytes_; }
  std::uint64_t rows() const { return shape_[0]; }
  std::uint64_t size_bytes() const { return shape_[0] * row_bytes_; }
  // Where the data set begins in the file.
  std::uint64_t offset_bytes(const Hdf5Session& session) const;

 private:
  std::filesystem::path path_;
  std::string key_;
  std::vector<hsize_t> shape_;
  hid_t element_;
  std::size_t row_bytes_ = 0;
  Hid dataset_;
  std::vector<std::byte> buffer_;
  std::size_t buffer_limit_ = 0;
  std::uint64_t next_row_ = 0;
  std::uint32_t crc_ = 0;
};

}  // namespace lockstep::data
