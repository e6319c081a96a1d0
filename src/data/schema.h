// Names of the data sets and root attributes of the format, and the attributes as one checked
// record. docs/dataset-format.md is the description. Knows nothing of storage.
#pragma once

#include "hdf5_session.h"

#include <lockstep/data/dataset.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

namespace lockstep::data {

inline constexpr std::int64_t kFormatVersion = 1;
inline constexpr const char* kFormatAttribute = "lockstep_format";
inline constexpr const char* kAttributesCrc = "attributes_crc32c";

inline constexpr const char* kImages = "images";
inline constexpr const char* kImageBytes = "image_bytes";
inline constexpr const char* kImageOffset = "image_offset";
inline constexpr const char* kImageSize = "image_size";
inline constexpr const char* kLabel = "label";
inline constexpr const char* kBox = "box";
inline constexpr const char* kBoxClass = "box_class";
inline constexpr const char* kBoxArea = "box_area";
inline constexpr const char* kBoxCrowd = "box_crowd";
inline constexpr const char* kBoxOffset = "box_offset";
inline constexpr const char* kSampleId = "sample_id";
inline constexpr const char* kSampleCrc = "sample_crc32c";

inline constexpr std::int32_t kMaxSide = 1 << 16;                       // pixels
inline constexpr std::int64_t kMaxStoredBytes = std::int64_t{1} << 31;  // of one sample
inline constexpr std::uint64_t kMaxSamples = std::uint64_t{1} << 33;

// The root attribute with the CRC-32C of a whole data set.
std::string crc_attribute(const std::string& key);

bool is_native(const Attributes& attributes);

// CRC-32C over every attribute of the format (foreign names do not count): the file itself keeps
// no checksum of large ones.
std::uint32_t attributes_crc32c(const Attributes& attributes);

Attributes attributes_of(const DatasetInfo& info);

// Throws: Error(kBadData) naming the attribute: missing or malformed in a native file, another
// format version, another encoding, a checksum that does not match. Height, width, channels (but
// where images are in /image_bytes, which is when channels are set here) and, in foreign files,
// counts and classes are left to the caller.
DatasetInfo info_from_attributes(const Attributes& attributes, const std::filesystem::path& path);

// The whole number under `name`. Throws: Error(kBadData).
std::int64_t whole_attribute(const Attributes& attributes,
                             const std::string& name,
                             const std::filesystem::path& path);

}  // namespace lockstep::data
