// A data set on disk: what it holds, checked when it is opened, and reads of single samples by
// position, without the HDF5 library on the way.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <lockstep/data/options.h>

namespace lockstep::data {

struct DatasetInfo {
  std::filesystem::path path;
  std::string task = "classification";
  std::string split;
  std::string image_encoding = "raw";
  std::vector<std::string> classes;  // names; size is the number of classes
  std::int64_t num_samples = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::vector<double> image_mean;  // per channel, of pixels in [0, 1]
  std::vector<double> image_std;
  std::string content_digest;  // SHA-256; empty in foreign files
  bool native = false;         // written by lockstep: lockstep_format = 1
  bool has_checksums = false;
};

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual const DatasetInfo& info() const = 0;
  std::int64_t sample_bytes() const {
    return info().height * info().width * info().channels;
  }
  // Pixels of sample `index` as u8 (H, W, C), positional read; `verify` checks its CRC-32C.
  // Throws: Error(kBadData) naming file, sample and byte range; Error(kIo). Thread: any.
  virtual void read_pixels(std::int64_t index, std::span<std::byte> out, bool verify) const = 0;
  virtual std::int64_t label(std::int64_t index) const = 0;
  virtual std::int64_t sample_id(std::int64_t index) const = 0;
};

// Opens one file (or a sharded set through its .json manifest), refuses what must not be trusted.
// Throws: Error(kIo) when it cannot be opened, Error(kBadData) with file, key and reason otherwise:
// not HDF5, wrong format version, label outside the classes, counts that do not match, links that
// leave the file, external storage, virtual data sets.
std::unique_ptr<Dataset> open_dataset(const std::filesystem::path& path, const Options& options);

}  // namespace lockstep::data
