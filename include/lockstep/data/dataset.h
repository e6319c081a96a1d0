// A data set on disk, one file or many: what it holds, checked when it is opened, and reads of
// single samples by position, without the HDF5 library on the way.
#pragma once

#include <lockstep/data/image.h>
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
  std::filesystem::path path;  // the file, or the manifest of several
  std::string task = "classification";
  std::string split;
  std::string image_encoding = "raw";  // or jpeg
  std::vector<std::string> classes;    // names; size is the number of classes
  std::int64_t num_samples = 0;
  std::int64_t height = 0;  // height and width are 0 where sizes differ, and with jpeg
  std::int64_t width = 0;
  std::int64_t channels = 0;       // of the pixels; jpeg: what to decode to
  std::vector<double> image_mean;  // per channel, of pixels in [0, 1]
  std::vector<double> image_std;
  std::string content_digest;  // SHA-256; empty in foreign files
  bool native = false;         // written by lockstep: lockstep_format = 1
  bool has_checksums = false;
  std::vector<std::filesystem::path> shards;  // the files of a manifest

  // Raw pixels, all of one size.
  bool uniform() const { return height > 0; }
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
  // Of every sample; 0 unless info().uniform().
  std::int64_t sample_bytes() const { return info().height * info().width * info().channels; }
  // Pixels of sample `index` as u8 (H, W, C), positional read; `verify` checks its CRC-32C (where
  // the file has them). Requires: info().uniform(); out has sample_bytes() bytes.
  // Throws: Error(kBadData) naming file, sample and byte range; Error(kIo).
  virtual void read_pixels(std::int64_t index, std::span<std::byte> out, bool verify) const = 0;
  // Of the pixels; with jpeg, of what the file decodes to.
  virtual ImageSize image_size(std::int64_t /*index*/) const {
    return {static_cast<std::int32_t>(info().height), static_cast<std::int32_t>(info().width)};
  }
  // What read_stored() delivers: h * w * c bytes of pixels, or those of a JPEG file.
  virtual std::int64_t stored_bytes(std::int64_t /*index*/) const { return sample_bytes(); }
  // As read_pixels(), for every encoding and size. Requires: out has stored_bytes(index) bytes.
  virtual void read_stored(std::int64_t index, std::span<std::byte> out, bool verify) const {
    read_pixels(index, out, verify);
  }
  // 0 in detection files.
  virtual std::int64_t label(std::int64_t index) const = 0;
  virtual std::int64_t sample_id(std::int64_t index) const = 0;
  // Empty in classification files.
  virtual Boxes boxes(std::int64_t /*index*/) const { return {}; }
  // Samples that are stored and inflated together: `index / samples_per_chunk()` is the chunk of a
  // sample. 1 where a sample is one read by itself.
  virtual std::int64_t samples_per_chunk() const { return 1; }
  // Keeps at least this many chunks inflated, beyond options.chunk_cache_mib when need be; a reader
  // that stays inside so many chunks then reads and inflates each once.
  virtual void keep_chunks(std::int64_t /*num_chunks*/) const {}
  // Memory for share_chunks() with which so many chunks are kept; 0 where samples are not kept
  // together.
  virtual std::size_t shared_chunk_bytes(std::int64_t /*num_chunks*/) const { return 0; }
  // Keeps inflated chunks there instead, beside the data sets of other processes that have the same
  // file open; as LoaderOptions::chunks. Requires: nobody reads meanwhile.
  virtual void share_chunks(std::span<std::byte> /*memory*/) const {}
};

// Opens one file, or all files of a manifest (a name that ends in .json), and refuses what must not
// be trusted; labels, ids, checksums and places are in memory afterwards (12 to 36 bytes a sample).
// Files that lockstep did not write are opened with stated
// defaults: classes "0" to the largest label, image_mean and image_std 0.5.
// The file is parsed in this process: probe_file() (probe.h) lets a child do it first.
// Throws: Error(kIo) when it cannot be opened, Error(kBadData) with file, key and reason otherwise:
// not HDF5, wrong format version, label outside the classes, counts that do not match, links that
// leave the file, external storage, virtual data sets, bytes that do not match their checksum.
std::unique_ptr<Dataset> open_dataset(const std::filesystem::path& path, const Options& options);

}  // namespace lockstep::data
