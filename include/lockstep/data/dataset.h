// A data set on disk: what it holds, checked when it is opened, and reads of single samples by
// position, without the HDF5 library on the way.
#pragma once

#include <lockstep/data/options.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

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

// The boxes of one sample of a detection file, n of them; views into the data set.
struct Boxes {
  std::span<const float> corners;         // (n, 4) x0 y0 x1 y1 in pixels
  std::span<const std::int64_t> classes;  // (n)
  std::span<const float> areas;           // (n) square pixels
  std::span<const std::uint8_t> crowd;    // (n) 0 or 1
};

// Thread: every function may be called from any thread.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual const DatasetInfo& info() const = 0;
  std::int64_t sample_bytes() const { return info().height * info().width * info().channels; }
  // Pixels of sample `index` as u8 (H, W, C), positional read; `verify` checks its CRC-32C (where
  // the file has them). Requires: out has sample_bytes() bytes.
  // Throws: Error(kBadData) naming file, sample and byte range; Error(kIo).
  virtual void read_pixels(std::int64_t index, std::span<std::byte> out, bool verify) const = 0;
  // 0 in detection files.
  virtual std::int64_t label(std::int64_t index) const = 0;
  virtual std::int64_t sample_id(std::int64_t index) const = 0;
  // Empty in classification files.
  virtual Boxes boxes(std::int64_t /*index*/) const { return {}; }
};

// Opens one file and refuses what must not be trusted; labels, ids and checksums are in memory
// afterwards (20 bytes a sample). Files that lockstep did not write are opened with stated
// defaults: classes "0" to the largest label, image_mean and image_std 0.5.
// Throws: Error(kIo) when it cannot be opened, Error(kBadData) with file, key and reason otherwise:
// not HDF5, wrong format version, label outside the classes, counts that do not match, links that
// leave the file, external storage, virtual data sets, bytes that do not match their checksum.
std::unique_ptr<Dataset> open_dataset(const std::filesystem::path& path, const Options& options);

}  // namespace lockstep::data
