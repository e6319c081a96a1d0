#include "file_pool.h"

#include <lockstep/base/error.h>

#include <algorithm>
#include <utility>

namespace lockstep::data {
namespace {

// Of the files beyond those that are open for good.
constexpr std::size_t kMaxBorrowed = 32;

}  // namespace

FilePool::FilePool(std::size_t max_open) : max_open_(max_open) {
  LOCKSTEP_CHECK(max_open >= 1, "a file must be open to be read");
}

std::size_t FilePool::add(const std::filesystem::path& path) {
  File& file = files_.emplace_back(path);
  if (files_.size() <= max_open_) file.kept = open_for_reading(path);
  return files_.size() - 1;
}

void FilePool::read(std::size_t file, std::uint64_t offset, std::span<std::byte> out) const {
  const File& wanted = files_[file];
  if (wanted.kept) {
    read_exactly(wanted.kept, wanted.path, offset, out);
    return;
  }
  const Shared handle = borrow(file);
  read_exactly(*handle, wanted.path, offset, out);
}

// A file that is closed here stays open for those who are still reading it.
FilePool::Shared FilePool::borrow(std::size_t file) const {
  if (Shared handle = files_[file].borrowed.load()) return handle;
  const std::lock_guard lock(mutex_);
  if (Shared handle = files_[file].borrowed.load()) return handle;
  auto opened = std::make_shared<const FileHandle>(open_for_reading(files_[file].path));
  if (borrowed_.size() == kMaxBorrowed) {
    files_[borrowed_.front()].borrowed.store(nullptr);
    borrowed_.pop_front();
  }
  files_[file].borrowed.store(opened);
  borrowed_.push_back(file);
  return opened;
}

std::size_t FilePool::num_open() const {
  const std::lock_guard lock(mutex_);
  return std::min(files_.size(), max_open_) + borrowed_.size();
}

}  // namespace lockstep::data
