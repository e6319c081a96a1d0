#include "manifest.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <set>

namespace lockstep::data {
namespace {

using Json = nlohmann::json;  // keys in the order of their names: one text for one content

constexpr std::int64_t kManifestVersion = 1;
constexpr const char* kVersion = "lockstep_manifest";
constexpr const char* kCrc = "crc32c";
constexpr std::uint64_t kMaxManifestBytes = std::uint64_t{64} << 20;
// Deeper text is no manifest, and would exhaust the stack where it is copied.
constexpr int kDeepestJson = 4;
constexpr std::int64_t kMaxSideOrCount = std::int64_t{1} << 33;

// Of the canonical text of everything but the checksum itself.
std::int64_t crc_of(Json json) {
  json.erase(kCrc);
  return std::int64_t{crc32c(bytes_of(json.dump()))};
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path) {}

  Error refuse(const std::string& what) const {
    return data_error(format("{}: {}", path_.string(), what));
  }

  void only(const Json& object, const std::set<std::string>& keys) const {
    if (!object.is_object()) throw refuse("is not a manifest: a JSON object is expected");
    for (const auto& [key, value] : object.items()) {
      if (!keys.contains(key)) throw refuse(format("key \"{}\" is not one of a manifest", key));
    }
  }

  const Json& at(const Json& object, const char* key) const {
    const auto found = object.find(key);
    if (found == object.end()) throw refuse(format("key \"{}\" is missing", key));
    return *found;
  }

  std::string text(const Json& object, const char* key) const {
    const Json& value = at(object, key);
    if (!value.is_string()) throw refuse(format("key \"{}\" is not a text", key));
    return value.get<std::string>();
  }

  std::int64_t whole(const Json& object,
                     const char* key,
                     std::int64_t least,
                     std::int64_t most) const {
    const Json& value = at(object, key);
    const bool fits = value.is_number_unsigned() &&
                      value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most);
    if (!fits || value.get<std::int64_t>() < least) {
      throw refuse(format("key \"{}\" is not a whole number of {} to {}", key, least, most));
    }
    return value.get<std::int64_t>();
  }

  std::vector<std::string> texts(const Json& object, const char* key) const {
    const Json& value = at(object, key);
    std::vector<std::string> result;
    bool good = value.is_array();
    for (std::size_t i = 0; good && i < value.size(); ++i) {
      good = value[i].is_string();
      if (good) result.push_back(value[i].get<std::string>());
    }
    if (!good) throw refuse(format("key \"{}\" is not a list of texts", key));
    return result;
  }

  std::vector<double> numbers(const Json& object, const char* key, std::int64_t count) const {
    const Json& value = at(object, key);
    std::vector<double> result;
    bool good = value.is_array() && std::cmp_equal(value.size(), count);
    for (std::size_t i = 0; good && i < value.size(); ++i) {
      good = value[i].is_number() && std::isfinite(value[i].get<double>());
      if (good) result.push_back(value[i].get<double>());
    }
    if (!good) throw refuse(format("key \"{}\" is not a list of {} numbers", key, count));
    return result;
  }

  std::string digest(const Json& object) const {
    std::string value = text(object, "content_digest");
    const bool good =
        value.size() == 64 && value.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!good) throw refuse("key \"content_digest\" is not 64 hexadecimal digits");
    return value;
  }

  DatasetInfo info(const Json& json) const {
    DatasetInfo info;
    info.path = path_;
    info.task = text(json, "task");
    info.split = text(json, "split");
    info.image_encoding = text(json, "image_encoding");
    info.classes = texts(json, "classes");
    info.num_samples = whole(json, "num_samples", 1, kMaxSideOrCount);
    info.height = whole(json, "height", 0, kMaxSideOrCount);
    info.width = whole(json, "width", 0, kMaxSideOrCount);
    info.channels = whole(json, "channels", 1, 3);
    if (info.channels == 2) throw refuse("channels = 2: images have 1 or 3");
    info.image_mean = numbers(json, "image_mean", info.channels);
    info.image_std = numbers(json, "image_std", info.channels);
    info.content_digest = digest(json);
    info.native = true;
    info.has_checksums = true;
    check(info);
    return info;
  }

  ManifestShard shard(const Json& json) const {
    only(json, {"file", "num_samples", "size_bytes", "content_digest"});
    ManifestShard shard;
    shard.file = text(json, "file");
    shard.num_samples = whole(json, "num_samples", 1, kMaxSideOrCount);
    shard.size_bytes =
        static_cast<std::uint64_t>(whole(json, "size_bytes", 1, std::int64_t{1} << 62));
    shard.content_digest = digest(json);
    check_name(shard.file);
    return shard;
  }

 private:
  void check(const DatasetInfo& info) const {
    if (info.task != "classification" && info.task != "detection") {
      throw refuse(format("task = {} is neither classification nor detection", info.task));
    }
    if (info.image_encoding != "raw" && info.image_encoding != "jpeg") {
      throw refuse(format("image_encoding = {} is neither raw nor jpeg", info.image_encoding));
    }
    const bool one_size = info.height > 0 && info.width > 0;
    if (one_size ? info.image_encoding != "raw" : info.height + info.width > 0) {
      throw refuse("height and width are those of raw images of one size, else 0");
    }
    if (std::any_of(
            info.image_std.begin(), info.image_std.end(), [](double x) { return x <= 0; })) {
      throw refuse("image_std is not above 0");
    }
  }

  // The file must lie beside the manifest and be no hidden or temporary one.
  void check_name(const std::string& name) const {
    const bool plain =
        !name.empty() && name.front() != '.' && name.size() <= 255 &&
        name.find('/') == std::string::npos && name.find('\\') == std::string::npos &&
        std::none_of(
            name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    if (plain && !is_manifest(name)) return;
    throw refuse("key \"file\" is not the name of a data file beside the manifest");
  }

  const std::filesystem::path& path_;
};

void check_sums(const Reader& reader, const Manifest& manifest) {
  std::int64_t total = 0;
  std::set<std::string> names;
  for (const ManifestShard& shard : manifest.shards) {
    total += shard.num_samples;  // at most 2^12 times 2^33
    if (!names.insert(shard.file).second) {
      throw reader.refuse(format("file \"{}\" is named twice", shard.file));
    }
  }
  if (total != manifest.info.num_samples) {
    throw reader.refuse(format(
        "num_samples = {}, but the files have {} together", manifest.info.num_samples, total));
  }
  if (digest_of_shards(manifest.shards) != manifest.info.content_digest) {
    throw reader.refuse("content_digest is not that of the files' digests");
  }
}

}  // namespace

bool is_manifest(const std::filesystem::path& path) { return path.extension() == ".json"; }

std::string shard_name(const std::filesystem::path& manifest,
                       std::int64_t index,
                       std::int64_t num_shards) {
  return format("{}-{:05}-of-{:05}.h5", manifest.stem().string(), index, num_shards);
}

std::string digest_of_shards(const std::vector<ManifestShard>& shards) {
  Sha256 hash;
  for (const ManifestShard& shard : shards) hash.update(bytes_of(shard.content_digest + "\n"));
  return hash.finish();
}

std::string manifest_text(const Manifest& manifest) {
  const DatasetInfo& info = manifest.info;
  Json json{{kVersion, kManifestVersion},
            {"task", info.task},
            {"split", info.split},
            {"classes", info.classes},
            {"num_samples", static_cast<std::uint64_t>(info.num_samples)},
            {"image_encoding", info.image_encoding},
            {"height", static_cast<std::uint64_t>(info.height)},
            {"width", static_cast<std::uint64_t>(info.width)},
            {"channels", static_cast<std::uint64_t>(info.channels)},
            {"image_mean", info.image_mean},
            {"image_std", info.image_std},
            {"content_digest", info.content_digest},
            {"shards", Json::array()}};
  for (const ManifestShard& shard : manifest.shards) {
    json["shards"].push_back({{"file", shard.file},
                              {"num_samples", static_cast<std::uint64_t>(shard.num_samples)},
                              {"size_bytes", shard.size_bytes},
                              {"content_digest", shard.content_digest}});
  }
  json[kCrc] = crc_of(json);
  return json.dump(1) + "\n";
}

Manifest parse_manifest(std::string_view text, const std::filesystem::path& path) {
  const Reader reader(path);
  bool too_deep = false;
  const auto watch_depth = [&too_deep](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kDeepestJson;
    return !too_deep;
  };
  const Json json = Json::parse(text, watch_depth, false);
  if (too_deep) throw reader.refuse("is not a manifest: it is nested too deeply");
  if (json.is_discarded()) throw reader.refuse("is not JSON: make the data set again or copy it");
  reader.only(json,
              {kVersion,
               kCrc,
               "task",
               "split",
               "classes",
               "num_samples",
               "image_encoding",
               "height",
               "width",
               "channels",
               "image_mean",
               "image_std",
               "content_digest",
               "shards"});
  const std::int64_t version = reader.whole(json, kVersion, 0, INT64_MAX);
  if (version != kManifestVersion) {
    throw reader.refuse(
        format("{} is {}, this version reads {}", kVersion, version, kManifestVersion));
  }
  if (reader.whole(json, kCrc, 0, UINT32_MAX) != crc_of(json)) {
    throw reader.refuse("does not match its crc32c: it was changed or is damaged, copy it again");
  }
  Manifest manifest;
  manifest.info = reader.info(json);
  const Json& shards = reader.at(json, "shards");
  if (!shards.is_array() || shards.empty() || std::cmp_greater(shards.size(), kMaxShards)) {
    throw reader.refuse(format("key \"shards\" is not a list of 1 to {} files", kMaxShards));
  }
  for (const Json& shard : shards) {
    manifest.shards.push_back(reader.shard(shard));
    manifest.info.shards.push_back(path.parent_path() / manifest.shards.back().file);
  }
  check_sums(reader, manifest);
  return manifest;
}

Manifest read_manifest(const std::filesystem::path& path) {
  return parse_manifest(read_text(path, kMaxManifestBytes), path);
}

}  // namespace lockstep::data
