#include "manifest.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>
#include <lockstep/base/log.h>
#include <lockstep/base/process.h>
#include <lockstep/base/version.h>
#include <lockstep/data/inspect.h>
#include <lockstep/data/probe.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace lockstep::data {
namespace {

constexpr std::size_t kMaxReasonBytes = 8192;
// A pass is a line in one of so many files, so the cache never grows.
constexpr std::size_t kSlotDigits = 3;

void limit(decltype(RLIMIT_AS) resource, std::int64_t amount) {
  rlimit now{};
  if (getrlimit(resource, &now) != 0) return;
  const auto wanted = static_cast<rlim_t>(amount);
  if (now.rlim_max != RLIM_INFINITY && now.rlim_max < wanted) return;
  const rlimit limits{wanted, wanted};
  setrlimit(resource, &limits);
}

// Pages that the process has mapped already, in bytes.
std::int64_t mapped_bytes() {
  std::int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

// The files behind a path; none where opening it will say what is wrong.
std::vector<std::filesystem::path> files_of(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> files{path};
  if (!is_manifest(path)) return files;
  try {
    const Manifest manifest = read_manifest(path);
    files.insert(files.end(), manifest.info.shards.begin(), manifest.info.shards.end());
  } catch (const Error&) {
    files.clear();
  }
  return files;
}

// This version of the files, and who asks what of them; empty when one is missing.
std::string identity(const std::vector<std::filesystem::path>& files, const Options& options) {
  std::string text =
      format("{} keys {} {}", build_info().build_id, options.image_key, options.label_key);
  for (const std::filesystem::path& file : files) {
    struct stat facts {};
    if (stat(file.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return {};
    text += format("\ndevice {} inode {} size {} times {}.{} {}.{}",
                   facts.st_dev,
                   facts.st_ino,
                   facts.st_size,
                   facts.st_mtim.tv_sec,
                   facts.st_mtim.tv_nsec,
                   facts.st_ctim.tv_sec,
                   facts.st_ctim.tv_nsec);
  }
  return files.empty() ? std::string() : sha256_hex(bytes_of(text));
}

// Empty when there is no place for it.
std::filesystem::path slot_of(const std::string& id) {
  const auto cache = environment("XDG_CACHE_HOME");
  const auto home = environment("HOME");
  std::filesystem::path folder;
  if (cache && !cache->empty()) {
    folder = *cache;
  } else if (home && !home->empty()) {
    folder = std::filesystem::path(*home) / ".cache";
  } else {
    return {};
  }
  return folder / "lockstep" / "probe" / id.substr(0, kSlotDigits);
}

bool remembered(const std::filesystem::path& slot, const std::string& id) {
  std::string found;
  std::ifstream(slot) >> found;
  return !slot.empty() && found == id;
}

void remember(const std::filesystem::path& slot, const std::string& id) {
  if (slot.empty()) return;
  std::error_code ignored;
  std::filesystem::create_directories(slot.parent_path(), ignored);
  // Readers see the old line, the new one, or one that matches nothing.
  std::ofstream(slot) << id << '\n';
}

// A child with its two outputs in one pipe.
class Child {
 public:
  Child(const std::filesystem::path& program, std::vector<std::string> words) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw io_error("no pipe for a probe", errno);
    output_ = FileHandle(ends[0]);
    const FileHandle input(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, input.get(), STDERR_FILENO);
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const int failed =
        posix_spawn(&pid_, program.c_str(), &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw io_error(format("cannot start {}", program.string()), failed);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // All it says, the end cut off when it says too much.
  std::string read_all() {
    std::string text;
    std::array<char, 4096> buffer{};
    for (;;) {
      const ssize_t got = read(output_.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return text;
      if (text.size() < kMaxReasonBytes) text.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
  int wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0) {
      if (errno != EINTR) throw io_error("a probe cannot be waited for", errno);
    }
    return status;
  }

 private:
  FileHandle output_;
  pid_t pid_ = -1;
};

// What the child said about the file; the last line is its reason.
std::string last_line(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  const std::size_t begin = text.rfind('\n');
  return std::string(begin == std::string_view::npos ? text : text.substr(begin + 1));
}

std::string way_of_death(int signal) {
  if (signal == SIGXCPU || signal == SIGALRM || signal == SIGKILL) return "did not come to an end";
  return format("crashed (signal {}, {})", signal, strsignal(signal));
}

}  // namespace

void probe_here(const std::filesystem::path& path,
                const Options& options,
                const ProbeLimits& limits) {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_AS, mapped_bytes() + limits.memory_bytes);
  limit(RLIMIT_CPU, limits.cpu_s);
  alarm(static_cast<unsigned>(limits.wall_s));
  log::set_terminal_level(log::Level::kError);
  if (is_manifest(path) || holds_keys(path, options)) {
    open_dataset(path, options);
  } else {
    list_file(path);
  }
}

void probe_file(const std::filesystem::path& program,
                const std::filesystem::path& path,
                const Options& options) {
  const std::string id = identity(files_of(path), options);
  if (id.empty()) return;
  const std::filesystem::path slot = slot_of(id);
  if (remembered(slot, id)) return;
  Child child(program,
              {program.string(),
               "inspect",
               "--probe",
               "--image-key=" + options.image_key,
               "--label-key=" + options.label_key,
               "--",
               path.string()});
  const std::string said = child.read_all();
  const int status = child.wait();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return remember(slot, id);
  if (WIFEXITED(status) && WEXITSTATUS(status) == static_cast<int>(ExitCode::kIo)) {
    throw io_error(last_line(said));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == static_cast<int>(ExitCode::kBadData)) {
    throw data_error(last_line(said));
  }
  const bool memory =
      WIFEXITED(status) && WEXITSTATUS(status) == static_cast<int>(ExitCode::kOutOfMemory);
  throw data_error(
      format("{}: the HDF5 library's parser {} on this file, which was opened in a "
             "process of its own: the file is damaged or made to do harm, do not use it",
             path.string(),
             memory                ? "asked for too much memory"
             : WIFSIGNALED(status) ? way_of_death(WTERMSIG(status))
                                   : format("ended with code {}", WEXITSTATUS(status))));
}

}  // namespace lockstep::data
