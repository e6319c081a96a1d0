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

  bool contiguous() const { return layout == "contiguous"; }
  bool is_integer() const { return type[0] == 'u' || type[0] == 'i'; }
  std::string shape_text() const;  // "(60000, 28, 28, 1)"
};

struct Inspection {
  DatasetInfo info;
  std::vector<ArrayInfo> arrays;
  std::vector<std::int64_t> samples_per_class;  // boxes per class in detection files
  std::int64_t num_boxes = 0;
  std::vector<std::string> advice;  // what would make reading faster or safer
};

// Throws: as open_dataset.
Inspection inspect_dataset(const std::filesystem::path& path, const Options& options);

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
