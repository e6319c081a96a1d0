// The manifest of a data set in several files: one JSON object with what they hold together, and
// the count, size and digest of each. docs/dataset-format.md is the description. Knows nothing of
// HDF5.
#pragma once

#include <lockstep/data/dataset.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::data {

inline constexpr std::int64_t kMaxShards = 4096;

struct ManifestShard {
  std::string file;  // a name without folders, beside the manifest
  std::int64_t num_samples = 0;
  std::uint64_t size_bytes = 0;
  std::string content_digest;
};

struct Manifest {
  DatasetInfo info;  // of all together; path and shards are those of the manifest that was read
  std::vector<ManifestShard> shards;
};

// A name that ends in .json.
bool is_manifest(const std::filesystem::path& path);

// "train-00003-of-00008.h5" beside train.json.
std::string shard_name(const std::filesystem::path& manifest,
                       std::int64_t index,
                       std::int64_t num_shards);

// SHA-256 over the digests of the shards, each followed by a line feed.
std::string digest_of_shards(const std::vector<ManifestShard>& shards);

std::string manifest_text(const Manifest& manifest);

// Strict: every key once and of its type, none more, counts that add up, names that stay in the
// folder, a checksum over all of it. `path` is for messages and for the shards' folder.
// Throws: Error(kBadData) naming file and key.
Manifest parse_manifest(std::string_view text, const std::filesystem::path& path);

// Throws: Error(kIo), Error(kBadData).
Manifest read_manifest(const std::filesystem::path& path);

}  // namespace lockstep::data
