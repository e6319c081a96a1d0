// Files that are read by position, of which only so many are open at a time: a data set may have
// more files than a process may open.
#pragma once

#include <lockstep/base/file.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>

namespace lockstep::data {

// Thread: read() from any thread; add() before the first read.
class FilePool {
 public:
  explicit FilePool(std::size_t max_open);

  // The number of the file. Opens it while fewer than `max_open` are. Throws: Error(kIo).
  std::size_t add(const std::filesystem::path& path);
  // Fills `out`. Throws: Error(kIo), also when the file ends too early.
  void read(std::size_t file, std::uint64_t offset, std::span<std::byte> out) const;

  const std::filesystem::path& path(std::size_t file) const { return files_[file].path; }
  std::size_t num_open() const;

 private:
  using Shared = std::shared_ptr<const FileHandle>;
  struct File {
    explicit File(std::filesystem::path name) : path(std::move(name)) {}
    std::filesystem::path path;
    FileHandle kept;               // open for good: no lock on the way
    std::atomic<Shared> borrowed;  // may be closed for another one
  };

  Shared borrow(std::size_t file) const;

  std::size_t max_open_;
  mutable std::deque<File> files_;  // a deque: files stay where they are
  mutable std::mutex mutex_;
  mutable std::deque<std::size_t> borrowed_;  // oldest first
};

}  // namespace lockstep::data
