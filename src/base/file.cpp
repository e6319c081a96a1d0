#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>
#include <lockstep/base/process.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

namespace lockstep {

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = other.release();
  }
  return *this;
}

FileHandle::~FileHandle() {
  if (fd_ >= 0) close(fd_);
}

int FileHandle::release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

FileHandle open_for_reading(const std::filesystem::path& path) {
  FileHandle file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw io_error(format("cannot open {}", path.string()), errno);
  return file;
}

std::uint64_t file_size_bytes(const FileHandle& file, const std::filesystem::path& path) {
  struct stat status {};
  if (fstat(file.get(), &status) != 0)
    throw io_error(format("cannot stat {}", path.string()), errno);
  return static_cast<std::uint64_t>(status.st_size);
}

void read_exactly(const FileHandle& file,
                  const std::filesystem::path& path,
                  std::uint64_t offset,
                  std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t count = pread(file.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw io_error(format("cannot read {}", path.string()), errno);
    if (count == 0) {
      throw io_error(
          format("{} ends at byte {}, {} bytes too early", path.string(), offset, out.size()));
    }
    offset += static_cast<std::uint64_t>(count);
    out = out.subspan(static_cast<std::size_t>(count));
  }
}

void write_all(const FileHandle& file,
               const std::filesystem::path& path,
               std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw io_error(format("cannot write {}", path.string()), errno);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

std::string read_text(const std::filesystem::path& path, std::uint64_t limit_bytes) {
  const FileHandle file = open_for_reading(path);
  const std::uint64_t size = file_size_bytes(file, path);
  if (size > limit_bytes) {
    throw io_error(format(
        "{} has {} bytes, more than the {} that are read", path.string(), size, limit_bytes));
  }
  std::string text(size, '\0');
  read_exactly(file, path, 0, std::as_writable_bytes(std::span(text.data(), text.size())));
  return text;
}

namespace {

// Removes a temporary file unless it was kept, so that a failure leaves nothing half-written.
class Temporary {
 public:
  explicit Temporary(std::filesystem::path path) : path_(std::move(path)) {}
  ~Temporary() {
    if (!path_.empty()) unlink(path_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  void keep() { path_.clear(); }

 private:
  std::filesystem::path path_;
};

}  // namespace

void write_text_atomically(const std::filesystem::path& path, std::string_view text) {
  const std::filesystem::path temporary = temporary_beside(path);
  {
    const FileHandle file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file) throw io_error(format("cannot write {}", path.string()), errno);
    Temporary guard(temporary);
    write_all(file, path, std::as_bytes(std::span(text.data(), text.size())));
    guard.keep();
  }
  publish_file(temporary, path);
}

void sync_file(const FileHandle& file, const std::filesystem::path& path) {
  if (fsync(file.get()) != 0) throw io_error(format("cannot flush {}", path.string()), errno);
}

void sync_folder(const std::filesystem::path& folder) {
  const FileHandle handle(
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle) throw io_error(format("cannot open the folder {}", folder.string()), errno);
  sync_file(handle, folder);
}

std::filesystem::path temporary_beside(const std::filesystem::path& target) {
  static std::atomic<std::uint64_t> number{0};
  // The host too: a folder may be shared by machines whose process ids coincide.
  return target.parent_path() /
         format(".{}.{}.{}.{}.tmp", target.filename().string(), host_name(), getpid(), number++);
}

void publish_file(const std::filesystem::path& temporary, const std::filesystem::path& target) {
  Temporary guard(temporary);
  {
    const FileHandle file = open_for_reading(temporary);
    sync_file(file, temporary);
  }
  if (rename(temporary.c_str(), target.c_str()) != 0) {
    throw io_error(format("cannot rename {} to {}", temporary.string(), target.string()), errno);
  }
  guard.keep();
  sync_folder(target.parent_path());
}

void make_folders(const std::filesystem::path& folder) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code)
    throw io_error(format("cannot make the folder {}: {}", folder.string(), code.message()));
}

}  // namespace lockstep
