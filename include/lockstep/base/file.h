// Files: whole reads, atomic writes, folders. Every failure is an Error(kIo) that names the path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace lockstep {

// Owns a file descriptor.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int fd) : fd_(fd) {}
  FileHandle(FileHandle&& other) noexcept : fd_(other.release()) {}
  FileHandle& operator=(FileHandle&& other) noexcept;
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  ~FileHandle();

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();

 private:
  int fd_ = -1;
};

// Opens read-only. Throws: Error(kIo) naming the path and the system's reason.
FileHandle open_for_reading(const std::filesystem::path& path);
std::uint64_t file_size_bytes(const FileHandle& file, const std::filesystem::path& path);
// Fills `out` from `offset`; a short file is an Error(kIo). Thread: safe on one handle.
void read_exactly(const FileHandle& file,
                  const std::filesystem::path& path,
                  std::uint64_t offset,
                  std::span<std::byte> out);
void write_all(const FileHandle& file,
               const std::filesystem::path& path,
               std::span<const std::byte> bytes);

// The whole file. Throws: Error(kIo), also when it is larger than `limit_bytes`.
std::string read_text(const std::filesystem::path& path, std::uint64_t limit_bytes = 1ULL << 30);

// Writes beside the target, fsyncs, renames over it and fsyncs the folder: a reader sees the old
// content or the new, never a part, and a failure leaves nothing beside it.
void write_text_atomically(const std::filesystem::path& path, std::string_view text);

// Flushes file (or folder) content to the disk.
void sync_file(const FileHandle& file, const std::filesystem::path& path);
void sync_folder(const std::filesystem::path& folder);

// A path beside `target` that no other call on any host gives; renamed over the target by
// publish_file.
std::filesystem::path temporary_beside(const std::filesystem::path& target);
// fsync, rename, fsync of the folder. Removes the temporary file when it cannot be published.
void publish_file(const std::filesystem::path& temporary, const std::filesystem::path& target);

void make_folders(const std::filesystem::path& folder);

}  // namespace lockstep
