// The files of a manifest as one Dataset: sample i is in the file whose range holds i. Each file
// was checked against the manifest when it was opened.
#pragma once

#include "file_dataset.h"
#include "manifest.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace lockstep::data {

class ShardedDataset final : public Dataset {
 public:
  // Requires: the shards are those of the manifest, in its order.
  ShardedDataset(DatasetInfo info, std::vector<std::unique_ptr<FileDataset>> shards);

  const DatasetInfo& info() const override { return info_; }
  void read_pixels(std::int64_t index, std::span<std::byte> out, bool verify) const override;
  ImageSize image_size(std::int64_t index) const override;
  std::int64_t stored_bytes(std::int64_t index) const override;
  void read_stored(std::int64_t index, std::span<std::byte> out, bool verify) const override;
  std::int64_t label(std::int64_t index) const override;
  std::int64_t sample_id(std::int64_t index) const override;
  Boxes boxes(std::int64_t index) const override;

 private:
  struct Place {
    const FileDataset& shard;
    std::int64_t index;  // in the shard
  };
  Place find(std::int64_t index) const;

  DatasetInfo info_;
  std::vector<std::unique_ptr<FileDataset>> shards_;
  std::vector<std::int64_t> begins_;  // first sample of each shard, rising from 0
};

// Opens one file of a manifest and compares it. Throws: Error(kBadData) naming file and fact.
std::unique_ptr<FileDataset> open_shard(const Manifest& manifest,
                                        std::size_t shard,
                                        const Options& options,
                                        const OpenFiles& files = OpenFiles(1));

// Throws: as open_dataset; Error(kBadData) when a file is not the one of the manifest.
std::unique_ptr<ShardedDataset> open_sharded_dataset(const std::filesystem::path& path,
                                                     const Options& options);

}  // namespace lockstep::data
