// Bytes under a path, for parsers that read files. A file of its own in memory: those who follow no
// links refuse /proc/self/fd.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>

namespace lockstep {

class MemoryFile {
 public:
  explicit MemoryFile(std::span<const std::uint8_t> bytes) {
    path_ = "/dev/shm/lockstep_fuzz_XXXXXX";
    const int file = mkostemp(path_.data(), O_CLOEXEC);
    if (file < 0 || write(file, bytes.data(), bytes.size()) != std::ssize(bytes)) std::abort();
    close(file);
  }
  ~MemoryFile() { unlink(path_.c_str()); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::filesystem::path path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace lockstep
