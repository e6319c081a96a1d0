#include "schema.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>
#include <string_view>

namespace lockstep::data {
namespace {

constexpr const char* kChannelsAttribute = "image_channels";
constexpr std::string_view kCrcSuffix = "_crc32c";
constexpr std::array<std::string_view, 10> kNames{kFormatAttribute,
                                                  "task",
                                                  "split",
                                                  "classes",
                                                  "num_samples",
                                                  "image_encoding",
                                                  kChannelsAttribute,
                                                  "image_mean",
                                                  "image_std",
                                                  "content_digest"};

bool is_ours(std::string_view name) {
  if (name == kAttributesCrc) return false;
  return name.ends_with(kCrcSuffix) ||
         std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string canonical_text(const AttributeValue& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  std::string bits;
  for (const double number : std::get<std::vector<double>>(value)) {
    bits += format("{:016x},", std::bit_cast<std::uint64_t>(number));
  }
  return bits;
}

template <class T>
const T& required(const Attributes& attributes,
                  const std::string& name,
                  const std::filesystem::path& path) {
  const auto found = attributes.find(name);
  if (found == attributes.end()) {
    throw data_error(
        format("{}: root attribute {} is missing: make the file again with lockstep "
               "prepare",
               path.string(),
               name));
  }
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr) {
    throw data_error(format("{}: root attribute {} is of the wrong type", path.string(), name));
  }
  return *value;
}

template <class T>
T optional(const Attributes& attributes, const std::string& name, T missing) {
  const auto found = attributes.find(name);
  if (found == attributes.end()) return missing;
  const T* value = std::get_if<T>(&found->second);
  return value == nullptr ? missing : *value;
}

std::vector<std::string> parse_classes(const std::string& text, const std::filesystem::path& path) {
  std::vector<std::string> classes;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  bool good = json.is_array();
  if (good) {
    for (const auto& name : json) {
      good = good && name.is_string();
      if (good) classes.push_back(name.get<std::string>());
    }
  }
  if (!good) {
    throw data_error(
        format("{}: root attribute classes is not a JSON array of names", path.string()));
  }
  return classes;
}

void check_version(const Attributes& attributes, const std::filesystem::path& path) {
  const auto version = whole_attribute(attributes, kFormatAttribute, path);
  if (version == kFormatVersion) return;
  throw data_error(
      format("{}: lockstep_format is {}, this version reads {}: make the file again "
             "with this version's lockstep prepare",
             path.string(),
             version,
             kFormatVersion));
}

void check_attributes_crc(const Attributes& attributes, const std::filesystem::path& path) {
  const std::int64_t stored = whole_attribute(attributes, kAttributesCrc, path);
  if (stored == static_cast<std::int64_t>(attributes_crc32c(attributes))) return;
  throw data_error(
      format("{}: the root attributes do not match {}: the file was changed or is "
             "damaged, make or copy it again",
             path.string(),
             kAttributesCrc));
}

// Of a file whose images are in /image_bytes; 0 in others.
std::int64_t channels_attribute(const Attributes& attributes, const DatasetInfo& info) {
  if (!attributes.contains(kChannelsAttribute) && info.image_encoding == "raw") return 0;
  const auto channels = whole_attribute(attributes, kChannelsAttribute, info.path);
  if (channels == 1 || channels == 3) return channels;
  throw data_error(
      format("{}: {} = {} is neither 1 nor 3", info.path.string(), kChannelsAttribute, channels));
}

void check_native(const DatasetInfo& info) {
  const std::string where = info.path.string();
  if (info.image_encoding != "raw" && info.image_encoding != "jpeg") {
    throw data_error(
        format("{}: image_encoding = {} is neither raw nor jpeg", where, info.image_encoding));
  }
  if (info.task != "classification" && info.task != "detection") {
    throw data_error(
        format("{}: task = {} is neither classification nor detection", where, info.task));
  }
}

}  // namespace

std::string crc_attribute(const std::string& key) { return key + std::string(kCrcSuffix); }

bool is_native(const Attributes& attributes) { return attributes.contains(kFormatAttribute); }

std::uint32_t attributes_crc32c(const Attributes& attributes) {
  std::uint32_t crc = 0;
  for (const auto& [name, value] : attributes) {
    if (!is_ours(name)) continue;
    crc = crc32c(bytes_of(name + "=" + canonical_text(value) + "\n"), crc);
  }
  return crc;
}

Attributes attributes_of(const DatasetInfo& info) {
  Attributes attributes;
  attributes[kFormatAttribute] = kFormatVersion;
  attributes["task"] = info.task;
  attributes["split"] = info.split;
  attributes["classes"] = nlohmann::json(info.classes).dump();
  attributes["num_samples"] = info.num_samples;
  attributes["image_encoding"] = info.image_encoding;
  if (!info.uniform()) attributes[kChannelsAttribute] = info.channels;
  attributes["image_mean"] = info.image_mean;
  attributes["image_std"] = info.image_std;
  attributes["content_digest"] = info.content_digest;
  return attributes;
}

DatasetInfo info_from_attributes(const Attributes& attributes, const std::filesystem::path& path) {
  DatasetInfo info;
  info.path = path;
  info.native = is_native(attributes);
  if (!info.native) {
    info.split = optional<std::string>(attributes, "split", "");
    const auto classes = optional<std::string>(attributes, "classes", "");
    if (!classes.empty()) info.classes = parse_classes(classes, path);
    info.image_mean = optional<std::vector<double>>(attributes, "image_mean", {});
    info.image_std = optional<std::vector<double>>(attributes, "image_std", {});
    return info;
  }
  check_version(attributes, path);
  check_attributes_crc(attributes, path);
  info.task = required<std::string>(attributes, "task", path);
  info.split = required<std::string>(attributes, "split", path);
  info.image_encoding = required<std::string>(attributes, "image_encoding", path);
  info.num_samples = required<std::int64_t>(attributes, "num_samples", path);
  info.classes = parse_classes(required<std::string>(attributes, "classes", path), path);
  info.image_mean = required<std::vector<double>>(attributes, "image_mean", path);
  info.image_std = required<std::vector<double>>(attributes, "image_std", path);
  info.content_digest = required<std::string>(attributes, "content_digest", path);
  info.has_checksums = true;
  check_native(info);
  info.channels = channels_attribute(attributes, info);
  return info;
}

std::int64_t whole_attribute(const Attributes& attributes,
                             const std::string& name,
                             const std::filesystem::path& path) {
  return required<std::int64_t>(attributes, name, path);
}

}  // namespace lockstep::data
