// One table of a file that is being written: its rows are kept until their number is known, and
// then become one contiguous data set. Knows nothing of what the rows mean.
#pragma once

#include "hdf5_session.h"

#include <lockstep/base/file.h>
#include <lockstep/base/hash.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace lockstep::data {

// Fills the range at `offset`. Throws: Error(kIo) naming the path and the system's reason.
void write_exactly(const FileHandle& file,
                   const std::filesystem::path& path,
                   std::uint64_t offset,
                   std::span<const std::byte> bytes);

// Makes a contiguous data set and returns the offset of its bytes, which are the caller's to write:
// HDF5 buffers no part of them, so that every failure of the disk is seen by the write that meets
// it. 0 where the data set is empty. `element` is the stored type, for example H5T_STD_U8LE.
// Throws: Error(kIo).
std::uint64_t make_extent(const Hdf5Session& session,
                          hid_t file,
                          const std::filesystem::path& path,
                          const std::string& key,
                          hid_t element,
                          std::span<const hsize_t> shape);

class TableWriter {
 public:
  // Rows of `columns` elements; the data set has the shape (rows) when there is one column, else
  // (rows, columns). A file is opened and `element` is a type of the library: a session is held.
  TableWriter(const Hdf5Session& session, std::string key, hid_t element, hsize_t columns = 1);

  // Whole rows, in the stored type's byte order.
  void append(std::span<const std::byte> rows);
  // Throws: Error(kIo).
  void write(const Hdf5Session& session,
             hid_t hdf5_file,
             const FileHandle& file,
             const std::filesystem::path& path) const;

  const std::string& key() const { return key_; }
  std::uint32_t crc() const { return crc32c(bytes_); }
  std::uint64_t rows() const { return bytes_.size() / row_bytes_; }
  std::uint64_t row_bytes() const { return row_bytes_; }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::string key_;
  hid_t element_;
  hsize_t columns_;
  std::size_t row_bytes_;
  std::vector<std::byte> bytes_;
};

}  // namespace lockstep::data
