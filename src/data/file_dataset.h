// One HDF5 file as a Dataset: opened and checked once, then read by position.
#pragma once

#include "pixel_source.h"

#include <lockstep/data/dataset.h>
#include <lockstep/data/inspect.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace lockstep::data {

// Everything of a file but its pixels.
struct FileTables {
  DatasetInfo info;
  std::vector<ArrayInfo> arrays;           // in the order of the format's table
  std::vector<std::int64_t> labels;        // (N); empty in detection files
  std::vector<std::int64_t> sample_ids;    // (N); empty: 0 to N - 1
  std::vector<std::uint32_t> checksums;    // (N); empty where the file has none
  std::vector<float> boxes;                // (M, 4)
  std::vector<std::int64_t> box_classes;   // (M)
  std::vector<float> box_areas;            // (M)
  std::vector<std::uint8_t> box_crowd;     // (M)
  std::vector<std::uint64_t> box_offsets;  // (N + 1)
};

class FileDataset final : public Dataset {
 public:
  FileDataset(FileTables tables, std::unique_ptr<PixelSource> pixels);

  const DatasetInfo& info() const override { return tables_.info; }
  void read_pixels(std::int64_t index, std::span<std::byte> out, bool verify) const override;
  std::int64_t label(std::int64_t index) const override;
  std::int64_t sample_id(std::int64_t index) const override;
  Boxes boxes(std::int64_t index) const override;

  // Whether the stored CRC-32C of a sample is that of `pixels`; true where there is none.
  bool checksum_matches(std::int64_t index, std::span<const std::byte> pixels) const;
  const FileTables& tables() const { return tables_; }

 private:
  FileTables tables_;
  std::unique_ptr<PixelSource> pixels_;
};

// As open_dataset, for one file.
std::unique_ptr<FileDataset> open_file_dataset(const std::filesystem::path& path,
                                               const Options& options);

}  // namespace lockstep::data
