// Files of a data set that others made. Names come from annotations and folders, so each is opened
// below one root and nowhere else, and only when it is a regular file. Knows nothing of formats.
#pragma once

#include <lockstep/base/file.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lockstep::data {

// How names are resolved: by one call of the kernel (openat2), or folder by folder where it is
// missing. Both accept and refuse the same names.
enum class Resolving { kKernel, kSteps };

// Thread: every function may be called from any thread.
class SourceFolder {
 public:
  // Throws: Error(kIo) when it is not a folder that can be opened.
  explicit SourceFolder(const std::filesystem::path& root, Resolving way = Resolving::kKernel);

  const std::filesystem::path& root() const { return root_; }

  // The whole content of a regular file. `name` is relative to the root.
  // Throws: Error(kBadData) naming it: an absolute name, "..", a symbolic link anywhere on the way,
  // a pipe, device or folder, missing, longer than `limit_bytes`; Error(kIo) when it cannot be
  // read.
  std::vector<std::byte> read(const std::string& name, std::uint64_t limit_bytes) const;
  std::string read_text(const std::string& name, std::uint64_t limit_bytes) const;
  // Opened for reading, checked as above. `size_bytes` is set.
  FileHandle open_file(const std::string& name, std::uint64_t& size_bytes) const;
  bool has_file(const std::string& name) const;

  enum class EntryKind { kFile, kFolder, kLink, kOther };
  struct Entry {
    std::string name;
    EntryKind kind = EntryKind::kOther;
  };
  // What lies in a folder below the root ("" is the root), by name in the order of bytes; hidden
  // entries are left out. Throws: as read().
  std::vector<Entry> list(const std::string& folder) const;

 private:
  // -1 and errno when it cannot be opened.
  int open_below(const std::string& name, int flags) const;

  std::filesystem::path root_;
  Resolving way_;
  FileHandle folder_;
};

// A name as it may stand in a message: what is not printable ASCII or UTF-8 becomes \xNN, and long
// names are cut.
std::string printable(const std::string& name);
bool is_utf8(const std::string& text);

}  // namespace lockstep::data
