// One HDF5 file as a Dataset: opened and checked once, then read by position.
#pragma once

#include "file_pool.h"
#include "library_pool.h"
#include "pixel_source.h"

#include <lockstep/data/dataset.h>
#include <lockstep/data/inspect.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace lockstep::data {

// Everything of a file but its pixels.
struct FileTables {
  DatasetInfo info;
  std::vector<ArrayInfo> arrays;             // in the order of the format's table
  std::vector<std::uint64_t> image_offsets;  // (N + 1); empty where info.uniform()
  std::vector<std::int32_t> image_sizes;     // (N, 2) height, width; empty where info.uniform()
  std::vector<std::int64_t> labels;          // (N); empty in detection files
  std::vector<std::int64_t> sample_ids;      // (N); empty: 0 to N - 1
  std::vector<std::uint32_t> checksums;      // (N); empty where the file has none
  std::vector<float> boxes;                  // (M, 4)
  std::vector<std::int64_t> box_classes;     // (M)
  std::vector<float> box_areas;              // (M)
  std::vector<std::uint8_t> box_crowd;       // (M)
  std::vector<std::uint64_t> box_offsets;    // (N + 1)
};

class FileDataset final : public Dataset {
 public:
  FileDataset(FileTables tables, std::unique_ptr<PixelSource> pixels);

  const DatasetInfo& info() const override { return tables_.info; }
  void read_pixels(std::int64_t index, std::span<std::byte> out, bool verify) const override;
  ImageSize image_size(std::int64_t index) const override;
  std::int64_t stored_bytes(std::int64_t index) const override;
  void read_stored(std::int64_t index, std::span<std::byte> out, bool verify) const override;
  std::int64_t label(std::int64_t index) const override;
  std::int64_t sample_id(std::int64_t index) const override;
  Boxes boxes(std::int64_t index) const override;
  std::int64_t samples_per_chunk() const override { return pixels_->samples_per_chunk(); }
  void keep_chunks(std::int64_t num_chunks) const override { pixels_->keep_chunks(num_chunks); }
  std::size_t shared_chunk_bytes(std::int64_t num_chunks) const override {
    return pixels_->shared_chunk_bytes(num_chunks);
  }
  void share_chunks(std::span<std::byte> memory) const override { pixels_->share_chunks(memory); }

  // Whether the stored CRC-32C of a sample is that of `bytes`; true where there is none.
  bool checksum_matches(std::int64_t index, std::span<const std::byte> bytes) const;
  const FileTables& tables() const { return tables_; }

 private:
  FileTables tables_;
  std::unique_ptr<PixelSource> pixels_;
};

// What bounds the descriptors of a data set of several files.
struct OpenFiles {
  explicit OpenFiles(std::size_t max_open)
      : pool(std::make_shared<FilePool>(max_open)),
        library(std::make_shared<LibraryPool>(max_open)) {}
  std::shared_ptr<FilePool> pool;        // read by position
  std::shared_ptr<LibraryPool> library;  // read by HDF5
};

// As open_dataset, for one file, which is read through one of the pools.
std::unique_ptr<FileDataset> open_file_dataset(const std::filesystem::path& path,
                                               const Options& options,
                                               const OpenFiles& files = OpenFiles(1));

}  // namespace lockstep::data
