// Every byte of a file against its checksums and its digest.
#include "file_dataset.h"

#include <lockstep/base/hash.h>
#include <lockstep/data/inspect.h>

#include <algorithm>
#include <vector>

namespace lockstep::data {
namespace {

constexpr std::size_t kMaxListed = 10;

void check_sample(const FileDataset& dataset,
                  std::int64_t index,
                  std::span<const std::byte> pixels,
                  Verification& result) {
  if (dataset.checksum_matches(index, pixels)) return;
  ++result.num_bad;
  if (result.bad_samples.size() < kMaxListed) result.bad_samples.push_back(index);
}

// In the order of the format's table; each was read from the file when it was opened.
void hash_tables(const FileTables& tables, Sha256& hash, std::uint64_t& bytes_read) {
  for (const std::span<const std::byte> bytes : {bytes_of(tables.labels),
                                                 bytes_of(tables.boxes),
                                                 bytes_of(tables.box_classes),
                                                 bytes_of(tables.box_areas),
                                                 bytes_of(tables.box_crowd),
                                                 bytes_of(tables.box_offsets),
                                                 bytes_of(tables.sample_ids),
                                                 bytes_of(tables.checksums)}) {
    hash.update(bytes);
    bytes_read += bytes.size();
  }
}

}  // namespace

Verification verify_dataset(const std::filesystem::path& path,
                            const Options& options,
                            const std::function<void(std::int64_t)>& progress) {
  const auto dataset = open_file_dataset(path, options);
  const DatasetInfo& info = dataset->info();
  Verification result;
  result.num_samples = info.num_samples;
  result.has_checksums = info.has_checksums;
  Sha256 hash;
  std::vector<std::byte> pixels(static_cast<std::size_t>(dataset->sample_bytes()));
  for (std::int64_t index = 0; index < info.num_samples; ++index) {
    dataset->read_pixels(index, pixels, false);
    check_sample(*dataset, index, pixels, result);
    if (info.native) hash.update(pixels);
    result.bytes_read += pixels.size();
    if (progress) progress(1);
  }
  if (!info.native) return result;
  hash_tables(dataset->tables(), hash, result.bytes_read);
  result.digest_matches = hash.finish() == info.content_digest;
  return result;
}

}  // namespace lockstep::data
