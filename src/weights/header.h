// The JSON header of a safetensors file, as text: its keys and values, no tensor data.
#pragma once

#include <lockstep/weights/safetensors.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::weights {

struct HeaderEntry {
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  // bytes after the header
  std::uint64_t end = 0;
};

struct Header {
  std::map<std::string, HeaderEntry> entries;
  std::map<std::string, std::string> metadata;
};

// `file` stands in messages. Needs memory for what is kept alone: nothing is built from a text that
// nests or repeats.
// Throws: Error(kBadData).
Header parse_header(std::string_view text, const std::string& file);

}  // namespace lockstep::weights
