// What a data file holds, how it is stored, and whether its bytes are what was written.
#pragma once

#include <lockstep/data/dataset.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace lockstep::data {

// One data set of a file.
struct ArrayInfo {
  std::string key;
  std::string type;  // "u8", "i64", "f32"; "other" for what is not a plain number
  std::vector<std::uint64_t> shape;
  std::string layout;  // "contiguous", "chunked", "compact"
  std::vector<std::uint64_t> chunk;
  std::vector<std::string> filters;
  std::uint64_t offset_bytes = 0;  // in the file; contiguous only
  std::uint64_t size_bytes = 0;    // of all elements
  std::uint64_t stored_bytes = 0;  // in the file; 0: not known
  std::string library_only;        // why only the HDF5 library reads it; empty: read here

  bool contiguous() const { return layout == "contiguous"; }
  bool is_integer() const { return type[0] == 'u' || type[0] == 'i'; }
  std::string shape_text() const;  // "(60000, 28, 28, 1)"
};

// Of all boxes of a detection file. Small, medium and large are those of COCO: up to 32 x 32,
// 96 x 96 and above, by area.
struct BoxStatistics {
  std::int64_t num_small = 0;
  std::int64_t num_medium = 0;
  std::int64_t num_large = 0;
  std::int64_t num_crowd = 0;
  std::int64_t num_bad = 0;  // no extent, not finite, or outside of the image
  std::int64_t most_in_an_image = 0;
  std::int64_t num_images_without = 0;
};

struct Inspection {
  DatasetInfo info;
  std::vector<ArrayInfo> arrays;       // the images first
  std::int64_t samples_per_chunk = 1;  // as Dataset::samples_per_chunk
  BoxStatistics boxes;
  std::vector<std::int64_t> samples_per_class;  // boxes per class in detection files
  std::int64_t num_boxes = 0;
  std::vector<std::string> advice;  // what would make reading faster or safer
};

// Throws: as open_dataset.
Inspection inspect_dataset(const std::filesystem::path& path, const Options& options);

// Whether the file has what open_dataset asks for by name: lockstep's format, or data sets under
// the keys of `options`. Throws: Error(kIo), Error(kBadData) when it is not HDF5.
bool holds_keys(const std::filesystem::path& path, const Options& options);

// A data set of any HDF5 file.
struct ListedArray {
  ArrayInfo info;
  std::string refused;  // why this version would not read it; empty: it would
};

struct Listing {
  std::vector<ListedArray> arrays;  // the first thousand
  // What looks like images and their labels; empty when nothing does.
  std::string image_key;
  std::string label_key;
};

// What there is in a file that is no data set by its keys. Throws: Error(kIo), Error(kBadData).
Listing list_file(const std::filesystem::path& path);

struct Verification {
  std::int64_t num_samples = 0;
  std::int64_t num_bad = 0;               // samples whose CRC-32C does not match
  std::vector<std::int64_t> bad_samples;  // the first of them
  bool has_checksums = false;             // false: every byte was read, nothing to compare with
  bool digest_matches = true;
  std::uint64_t bytes_read = 0;

  bool good() const { return num_bad == 0 && digest_matches; }
};

// Reads every byte: each sample against its CRC-32C, everything against the content digest.
// `progress` is called with the number of samples since its last call; it may be empty, and what it
// throws ends the work. Throws: as open_dataset, Error(kIo).
Verification verify_dataset(const std::filesystem::path& path,
                            const Options& options,
                            const std::function<void(std::int64_t)>& progress);

}  // namespace lockstep::data
