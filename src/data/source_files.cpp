#include "source_files.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>

namespace lockstep::data {
namespace {

constexpr std::size_t kMaxShown = 200;

// The kernel does not leave the folder, follows no link, and enters nothing like /proc/self/fd.
int open_by_kernel(int folder, const std::string& name, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(syscall(SYS_openat2, folder, name.c_str(), &how, sizeof(how)));
}

std::string_view next_part(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('/'), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

// The same without openat2: one step a folder, none of them through a link.
int open_by_steps(int folder, const std::string& name, int flags) {
  FileHandle held;
  int current = folder;
  std::string_view rest = name;
  while (true) {
    const std::string part(next_part(rest));
    const bool last = rest.empty();
    const int step = last ? flags : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    const int opened = openat(current, part.empty() ? "." : part.c_str(), step);
    if (opened < 0 || last) return opened;
    held = FileHandle(opened);
    current = held.get();
  }
}

// Empty when the name may be looked up.
const char* refusal(const std::string& name) {
  if (name.empty()) return "an empty name";
  if (name.find('\0') != std::string::npos) return "a name with a zero byte";
  if (name[0] == '/') return "an absolute name: names must be relative to the folder";
  if (name.back() == '/') return "a name that ends in \"/\"";
  std::string_view rest = name;
  while (!rest.empty()) {
    if (next_part(rest) == "..") return "\"..\" in a name: names must stay below the folder";
  }
  return nullptr;
}

bool is_callers_fault(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP || error == EXDEV ||
         error == ENAMETOOLONG || error == EINVAL || error == ENXIO || error == EISDIR;
}

const char* reason_of(int error) {
  if (error == ELOOP || error == EXDEV) return "a symbolic link, which is not followed";
  if (error == ENOENT) return "there is no such file";
  if (error == ENAMETOOLONG) return "a name that is too long";
  if (error == ENXIO) return "not a regular file";
  return "not a file in a folder";
}

SourceFolder::EntryKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return SourceFolder::EntryKind::kFile;
  if (S_ISDIR(mode)) return SourceFolder::EntryKind::kFolder;
  if (S_ISLNK(mode)) return SourceFolder::EntryKind::kLink;
  return SourceFolder::EntryKind::kOther;
}

// The length of the UTF-8 sequence at the start (Unicode 15, table 3-7); 0 when it is none.
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0U) != 0x80U) return 0;
  }
  const bool overlong = (first == 0xE0 && at(1) < 0xA0) || (first == 0xF0 && at(1) < 0x90);
  const bool surrogate = first == 0xED && at(1) >= 0xA0;
  const bool beyond = first == 0xF4 && at(1) >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

}  // namespace

SourceFolder::SourceFolder(const std::filesystem::path& root, Resolving way)
    : root_(root),
      way_(way),
      folder_(::open(root.empty() ? "." : root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!folder_) throw io_error(format("cannot open the folder {}", root_.string()), errno);
}

int SourceFolder::open_below(const std::string& name, int flags) const {
  // A pipe must not be waited for, a terminal not taken over. O_PATH opens neither.
  const int quiet = (flags & O_PATH) != 0 ? 0 : O_NOCTTY | O_NONBLOCK;
  const int all = flags | O_NOFOLLOW | O_CLOEXEC | quiet;
  if (way_ == Resolving::kKernel) {
    const int opened = open_by_kernel(folder_.get(), name, all);
    const bool missing = opened < 0 && (errno == ENOSYS || errno == EPERM);
    if (!missing) return opened;
  }
  return open_by_steps(folder_.get(), name, all);
}

FileHandle SourceFolder::open_file(const std::string& name, std::uint64_t& size_bytes) const {
  const auto bad = [&](const char* why) {
    return data_error(format("{}: {}: {}", root_.string(), printable(name), why));
  };
  if (const char* why = refusal(name)) throw bad(why);
  FileHandle file(open_below(name, O_RDONLY));
  if (!file) {
    if (is_callers_fault(errno)) throw bad(reason_of(errno));
    throw io_error(format("cannot open {} in {}", printable(name), root_.string()), errno);
  }
  struct stat status {};
  if (fstat(file.get(), &status) != 0) {
    throw io_error(format("cannot look at {} in {}", printable(name), root_.string()), errno);
  }
  if (!S_ISREG(status.st_mode)) throw bad("not a regular file");
  size_bytes = static_cast<std::uint64_t>(status.st_size);
  return file;
}

std::vector<std::byte> SourceFolder::read(const std::string& name,
                                          std::uint64_t limit_bytes) const {
  std::uint64_t size_bytes = 0;
  const FileHandle file = open_file(name, size_bytes);
  if (size_bytes > limit_bytes) {
    throw data_error(format("{}: {}: {} bytes, more than the {} that are read",
                            root_.string(),
                            printable(name),
                            size_bytes,
                            limit_bytes));
  }
  std::vector<std::byte> bytes(size_bytes);
  read_exactly(file, root_ / name, 0, bytes);
  return bytes;
}

std::string SourceFolder::read_text(const std::string& name, std::uint64_t limit_bytes) const {
  const std::vector<std::byte> bytes = read(name, limit_bytes);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool SourceFolder::has_file(const std::string& name) const {
  if (refusal(name) != nullptr) return false;
  const FileHandle file(open_below(name, O_PATH));
  struct stat status {};
  return file && fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode);
}

std::vector<SourceFolder::Entry> SourceFolder::list(const std::string& folder) const {
  const std::string name = folder.empty() ? "." : folder;
  const std::string shown = (root_ / folder).string();
  if (const char* why = refusal(name)) throw data_error(format("{}: {}", printable(shown), why));
  FileHandle handle(open_below(name, O_RDONLY | O_DIRECTORY));
  if (!handle) {
    if (is_callers_fault(errno)) {
      throw data_error(format("{}: there is no such folder", printable(shown)));
    }
    throw io_error(format("cannot open the folder {}", printable(shown)), errno);
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(handle.get()), closedir);
  if (!stream) throw io_error(format("cannot list {}", printable(shown)), errno);
  const int at = handle.release();
  std::vector<Entry> entries;
  errno = 0;
  while (const dirent* entry = readdir(stream.get())) {
    if (entry->d_name[0] == '.') continue;
    struct stat status {};
    if (entry->d_type != DT_UNKNOWN) {
      status.st_mode = DTTOIF(entry->d_type);
    } else if (fstatat(at, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      throw io_error(format("cannot look at {}", printable(shown + "/" + entry->d_name)), errno);
    }
    entries.push_back({entry->d_name, kind_of(status.st_mode)});
    errno = 0;
  }
  if (errno != 0) throw io_error(format("cannot list {}", printable(shown)), errno);
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.name < b.name;
  });
  return entries;
}

bool is_utf8(const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t length = utf8_length(rest);
    if (length == 0) return false;
    rest.remove_prefix(length);
  }
  return true;
}

std::string printable(const std::string& name) {
  std::string text;
  std::string_view rest = name;
  while (!rest.empty() && text.size() < kMaxShown) {
    const std::size_t length = utf8_length(rest);
    const auto first = static_cast<unsigned char>(rest[0]);
    if (length == 0 || first < 0x20 || first == 0x7F) {
      text += format("\\x{:02x}", static_cast<unsigned>(first));
      rest.remove_prefix(1);
    } else {
      text += rest.substr(0, length);
      rest.remove_prefix(length);
    }
  }
  return rest.empty() ? text : text + "...";
}

}  // namespace lockstep::data
