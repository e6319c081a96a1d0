#include "sharded_dataset.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <utility>

namespace lockstep::data {
namespace {

// Open for good; what is more is opened as it is needed.
constexpr std::size_t kMaxOpenFiles = 256;

void check_size(const ManifestShard& shard, const std::filesystem::path& path) {
  const std::uint64_t size = file_size_bytes(open_for_reading(path), path);
  if (size == shard.size_bytes) return;
  throw data_error(format("{}: has {} bytes, its manifest says {}: copy or make the set again",
                          path.string(),
                          size,
                          shard.size_bytes));
}

void check_facts(const Manifest& manifest, const ManifestShard& shard, const DatasetInfo& found) {
  const DatasetInfo& all = manifest.info;
  const auto require = [&](bool good, const char* fact) {
    if (good) return;
    throw data_error(
        format("{}: {} is not what the manifest {} says: the file is of another data set",
               found.path.string(),
               fact,
               all.path.string()));
  };
  require(found.native, "lockstep_format");
  require(found.content_digest == shard.content_digest, "content_digest");
  require(found.num_samples == shard.num_samples, "num_samples");
  require(found.task == all.task, "task");
  require(found.split == all.split, "split");
  require(found.classes == all.classes, "classes");
  require(found.image_encoding == all.image_encoding, "image_encoding");
  require(found.height == all.height && found.width == all.width, "the size of its images");
  require(found.channels == all.channels, "the number of channels");
}

}  // namespace

ShardedDataset::ShardedDataset(DatasetInfo info, std::vector<std::unique_ptr<FileDataset>> shards)
    : info_(std::move(info)), shards_(std::move(shards)) {
  std::int64_t begin = 0;
  for (const auto& shard : shards_) {
    begins_.push_back(begin);
    begin += shard->info().num_samples;
  }
  LOCKSTEP_CHECK(begin == info_.num_samples, "shards that are not those of the manifest");
}

ShardedDataset::Place ShardedDataset::find(std::int64_t index) const {
  LOCKSTEP_CHECK(index >= 0 && index < info_.num_samples, "no such sample");
  const auto after = std::upper_bound(begins_.begin(), begins_.end(), index);
  const auto shard = static_cast<std::size_t>(after - begins_.begin() - 1);
  return {*shards_[shard], index - begins_[shard]};
}

void ShardedDataset::read_pixels(std::int64_t index, std::span<std::byte> out, bool verify) const {
  const Place place = find(index);
  place.shard.read_pixels(place.index, out, verify);
}

ImageSize ShardedDataset::image_size(std::int64_t index) const {
  const Place place = find(index);
  return place.shard.image_size(place.index);
}

std::int64_t ShardedDataset::stored_bytes(std::int64_t index) const {
  const Place place = find(index);
  return place.shard.stored_bytes(place.index);
}

void ShardedDataset::read_stored(std::int64_t index, std::span<std::byte> out, bool verify) const {
  const Place place = find(index);
  place.shard.read_stored(place.index, out, verify);
}

std::int64_t ShardedDataset::label(std::int64_t index) const {
  const Place place = find(index);
  return place.shard.label(place.index);
}

std::int64_t ShardedDataset::sample_id(std::int64_t index) const {
  const Place place = find(index);
  return place.shard.sample_id(place.index);
}

Boxes ShardedDataset::boxes(std::int64_t index) const {
  const Place place = find(index);
  return place.shard.boxes(place.index);
}

std::unique_ptr<FileDataset> open_shard(const Manifest& manifest,
                                        std::size_t shard,
                                        const Options& options,
                                        const OpenFiles& files) {
  const std::filesystem::path& path = manifest.info.shards[shard];
  check_size(manifest.shards[shard], path);
  auto dataset = open_file_dataset(path, options, files);
  check_facts(manifest, manifest.shards[shard], dataset->info());
  return dataset;
}

std::unique_ptr<ShardedDataset> open_sharded_dataset(const std::filesystem::path& path,
                                                     const Options& options) {
  const Manifest manifest = read_manifest(path);
  const OpenFiles files(kMaxOpenFiles);
  std::vector<std::unique_ptr<FileDataset>> shards;
  for (std::size_t shard = 0; shard < manifest.shards.size(); ++shard) {
    shards.push_back(open_shard(manifest, shard, options, files));
  }
  return std::make_unique<ShardedDataset>(manifest.info, std::move(shards));
}

}  // namespace lockstep::data
