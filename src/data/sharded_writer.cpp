#include "sharded_writer.h"

#include "manifest.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>

namespace lockstep::data {
namespace {

void check_free(const WriterOptions& options) {
  for (std::int64_t shard = 0; shard < options.num_shards && !options.force; ++shard) {
    const std::filesystem::path path =
        options.path.parent_path() / shard_name(options.path, shard, options.num_shards);
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) continue;
    throw io_error(
        format("{} exists: remove it, choose another name or pass --force", path.string()));
  }
}

}  // namespace

ShardedWriter::ShardedWriter(const WriterOptions& options) : options_(options) {
  LOCKSTEP_CHECK(
      options.num_shards >= 1 && options.num_shards <= kMaxShards && is_manifest(options.path),
      "a manifest of 1 to 4096 files");
  options_.num_shards = std::min(options.num_shards, options.num_samples);
  check_free(options_);
  open_next();
}

ShardedWriter::~ShardedWriter() = default;

// Written so that no product overflows.
std::int64_t ShardedWriter::begin_of(std::int64_t shard) const {
  const std::int64_t whole = options_.num_samples / options_.num_shards;
  const std::int64_t rest = options_.num_samples % options_.num_shards;
  return whole * shard + rest * shard / options_.num_shards;
}

void ShardedWriter::open_next() {
  const std::int64_t shard = std::ssize(shards_);
  WriterOptions part = options_;
  part.num_samples = begin_of(shard + 1) - begin_of(shard);
  part.num_boxes = options_.num_boxes / options_.num_shards;
  shards_.emplace_back(part, num_added_);
}

void ShardedWriter::add(const Sample& sample) {
  LOCKSTEP_CHECK(num_added_ < options_.num_samples, "more samples than announced");
  if (num_added_ == begin_of(std::ssize(shards_))) {
    shards_.back().close();
    open_next();
  }
  shards_.back().add(sample);
  ++num_added_;
}

DatasetInfo ShardedWriter::finish(const std::function<void(std::int64_t)>& progress) {
  shards_.back().close();
  for (const FileWriter& shard : shards_) shard.verify(progress);
  DatasetInfo info = describe();
  publish(info);
  for (const FileWriter& shard : shards_) info.shards.push_back(shard.info().path);
  return info;
}

DatasetInfo ShardedWriter::describe() const {
  DatasetInfo info = shards_.front().info();
  info.path = options_.path;
  info.num_samples = num_added_;
  PixelStatistics statistics(options_.channels);
  for (const FileWriter& shard : shards_) statistics.add(shard.statistics());
  if (options_.image_mean.empty()) info.image_mean = statistics.mean();
  if (options_.image_std.empty()) info.image_std = statistics.deviation();
  return info;
}

// The manifest that is replaced goes first: at no time does one name files that are not its own.
void ShardedWriter::publish(DatasetInfo& info) {
  Manifest manifest;
  const std::filesystem::path folder = options_.path.parent_path();
  std::error_code ignored;
  // Fewer files have other names.
  WriterOptions made = options_;
  made.num_shards = std::ssize(shards_);
  check_free(made);
  if (options_.force) std::filesystem::remove(options_.path, ignored);
  try {
    for (FileWriter& shard : shards_) {
      const std::string name =
          shard_name(options_.path, std::ssize(manifest.shards), std::ssize(shards_));
      shard.publish(folder / name);
      manifest.shards.push_back(
          {name, shard.info().num_samples, shard.size_bytes(), shard.info().content_digest});
    }
    info.content_digest = digest_of_shards(manifest.shards);
    manifest.info = info;
    write_text_atomically(options_.path, manifest_text(manifest));
  } catch (...) {
    for (const ManifestShard& shard : manifest.shards) {
      std::filesystem::remove(folder / shard.file, ignored);
    }
    throw;
  }
}

}  // namespace lockstep::data
