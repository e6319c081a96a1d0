// What the tests of data share: temporary folders, small files, expected errors, foreign files
// written with the HDF5 library directly.
#pragma once

#include "hdf5_session.h"

#include <lockstep/base/error.h>
#include <lockstep/data/dataset.h>
#include <lockstep/data/import.h>
#include <lockstep/data/writer.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

namespace lockstep::data {

// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  // Names in the folder, hidden ones too.
  std::vector<std::string> names() const;

 private:
  std::filesystem::path path_;
};

// The call must throw an Error of this code whose text holds every fragment.
void expect_error(ExitCode code,
                  std::initializer_list<std::string> fragments,
                  const std::function<void()>& call);

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& bytes);

// A seeded synthetic file: 3 classes, `size` x `size`.
SyntheticOptions small_options(std::int64_t num_samples);
DatasetInfo write_small(const std::filesystem::path& path,
                        std::int64_t num_samples,
                        bool detection = false);

std::vector<std::byte> pixels_of(const Dataset& dataset, std::int64_t index, bool verify = true);

// A foreign file: u8 images (N, H, W) of value index + row and i32 labels index % 3.
struct ForeignOptions {
  std::vector<hsize_t> shape{6, 4, 5};
  hid_t image_type = H5T_STD_U8LE;
  std::int64_t num_labels = -1;  // -1: as many as images
  int label_offset = 0;
  bool chunked = false;
  bool deflate = false;
  bool fletcher = false;
  bool float_labels = false;
  std::string image_key = "images";
};
void write_foreign(const std::filesystem::path& path, const ForeignOptions& options);

// Opens the file for writing and hands it over, to spoil it.
void edit(const std::filesystem::path& path, const std::function<void(hid_t)>& change);
// Replaces a root attribute and repairs the checksum over the attributes.
void set_attribute(const std::filesystem::path& path,
                   const std::string& name,
                   const AttributeValue& value,
                   bool repair = true);
// Overwrites one element of a one-dimensional i64 data set and repairs its checksums.
void set_element(const std::filesystem::path& path,
                 const std::string& key,
                 hsize_t index,
                 std::int64_t value);

// Allocations of the whole process since the start.
std::uint64_t allocation_count();

}  // namespace lockstep::data
