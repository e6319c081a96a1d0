// Every byte of a data set against its checksums and its digest.
#include "schema.h"
#include "sharded_dataset.h"

#include <lockstep/base/hash.h>
#include <lockstep/data/inspect.h>

#include <algorithm>
#include <vector>

namespace lockstep::data {
namespace {

constexpr std::size_t kMaxListed = 10;

void check_sample(const FileDataset& dataset,
                  std::int64_t index,
                  std::int64_t first_sample,
                  std::span<const std::byte> bytes,
                  Verification& result) {
  if (dataset.checksum_matches(index, bytes)) return;
  ++result.num_bad;
  if (result.bad_samples.size() < kMaxListed) result.bad_samples.push_back(first_sample + index);
}

// Ids that were not read when the file was opened, because their checksum is that of 0 to N - 1.
std::vector<std::byte> read_sample_ids(const FileTables& tables) {
  std::vector<std::byte> bytes;
  for (const ArrayInfo& array : tables.arrays) {
    if (array.key != kSampleId || !array.contiguous() || !tables.sample_ids.empty()) continue;
    bytes.resize(array.size_bytes);
    const std::filesystem::path& path = tables.info.path;
    read_exactly(open_for_reading(path), path, array.offset_bytes, bytes);
  }
  return bytes;
}

// In the order of the format's table; all but the ids were read when the file was opened.
void hash_tables(const FileTables& tables, Sha256& hash, std::uint64_t& bytes_read) {
  const std::vector<std::byte> sample_ids = read_sample_ids(tables);
  for (const std::span<const std::byte> bytes : {bytes_of(tables.image_offsets),
                                                 bytes_of(tables.image_sizes),
                                                 bytes_of(tables.labels),
                                                 bytes_of(tables.boxes),
                                                 bytes_of(tables.box_classes),
                                                 bytes_of(tables.box_areas),
                                                 bytes_of(tables.box_crowd),
                                                 bytes_of(tables.box_offsets),
                                                 bytes_of(tables.sample_ids),
                                                 bytes_of(sample_ids),
                                                 bytes_of(tables.checksums)}) {
    hash.update(bytes);
    bytes_read += bytes.size();
  }
}

// One file. `first_sample` is the number of its first sample in the whole data set.
void verify_file(const FileDataset& dataset,
                 std::int64_t first_sample,
                 const std::function<void(std::int64_t)>& progress,
                 Verification& result) {
  const DatasetInfo& info = dataset.info();
  Sha256 hash;
  std::vector<std::byte> bytes;
  for (std::int64_t index = 0; index < info.num_samples; ++index) {
    bytes.resize(static_cast<std::size_t>(dataset.stored_bytes(index)));
    dataset.read_stored(index, bytes, false);
    check_sample(dataset, index, first_sample, bytes, result);
    if (info.native) hash.update(bytes);
    result.bytes_read += bytes.size();
    if (progress) progress(1);
  }
  if (!info.native) return;
  hash_tables(dataset.tables(), hash, result.bytes_read);
  result.digest_matches = hash.finish() == info.content_digest && result.digest_matches;
}

}  // namespace

Verification verify_dataset(const std::filesystem::path& path,
                            const Options& options,
                            const std::function<void(std::int64_t)>& progress) {
  Verification result;
  if (!is_manifest(path)) {
    const auto dataset = open_file_dataset(path, options);
    result.num_samples = dataset->info().num_samples;
    result.has_checksums = dataset->info().has_checksums;
    verify_file(*dataset, 0, progress, result);
    return result;
  }
  const Manifest manifest = read_manifest(path);
  result.has_checksums = true;
  for (std::size_t shard = 0; shard < manifest.shards.size(); ++shard) {
    const auto dataset = open_shard(manifest, shard, options);
    verify_file(*dataset, result.num_samples, progress, result);
    result.num_samples += dataset->info().num_samples;
  }
  return result;
}

}  // namespace lockstep::data
