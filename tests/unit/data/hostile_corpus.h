// HDF5 files that must be refused: made with the library, or by overwriting bytes of good ones.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace lockstep::data {

struct HostileFile {
  std::string name;
  std::function<void(const std::filesystem::path&)> write;
  std::string reason;    // must stand in the refusal
  bool at_read = false;  // found out when the sample is read
};

// Files on which HDF5 1.10 itself ends by a signal: a node of a tree of names, or of chunks, that
// is its own child. To be parsed in another process only.
std::vector<HostileFile> crash_files();

// Each is written to a path of its own; files beside it may be written too.
std::vector<HostileFile> hostile_files();

}  // namespace lockstep::data
