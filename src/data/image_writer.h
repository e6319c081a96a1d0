// Where the images of a file that is being written go: one contiguous range, or one deflated chunk
// a sample. Knows nothing of labels and checksums.
#pragma once

#include "table_writer.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace lockstep::data {

class ImageWriter {
 public:
  virtual ~ImageWriter() = default;
  // The bytes of the next sample. Throws: Error(kIo).
  virtual void append(std::span<const std::byte> bytes) = 0;
  // After the last sample: makes data set `key` of `shape` hold what was appended, before any other
  // data set of the file is made. Throws: Error(kIo).
  virtual void finish(const Hdf5Session& session,
                      const std::string& key,
                      std::span<const hsize_t> shape) = 0;
};

// Streams to a place that is known before the size is: the first aligned offset behind the file's
// first block, which the data set takes when it is made. `hdf5_file` and `file` are one file, the
// second open for writing; both must outlive the writer.
// Requires: the file was made by create_data_file().
std::unique_ptr<ImageWriter> make_contiguous_images(hid_t hdf5_file,
                                                    const FileHandle& file,
                                                    const std::filesystem::path& path);

// One chunk a sample, deflated. `most` is the largest number of samples; the row is the shape of
// one. Throws: Error(kIo).
std::unique_ptr<ImageWriter> make_deflated_images(const Hdf5Session& session,
                                                  hid_t hdf5_file,
                                                  const std::filesystem::path& path,
                                                  const std::string& key,
                                                  hsize_t most,
                                                  std::span<const hsize_t> row);

// An empty HDF5 file of the versions and alignment that the format asks for. Throws: Error(kIo).
Hid create_data_file(const Hdf5Session& session, const std::filesystem::path& path);

}  // namespace lockstep::data
