// Files: exact reads, and writes of which a reader sees the old content or the new, also when the
// disk or the folder refuses.
#include "../../support/temporary_folder.h"
#include "expect_error.h"

#include <lockstep/base/file.h>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using test::thrown_by;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Names of what lies in a folder, hidden files too.
std::vector<std::string> names_in(const TemporaryFolder& folder) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    found.push_back(entry.path().filename().string());
  }
  return found;
}

bool is_open(int fd) { return fcntl(fd, F_GETFD) != -1; }

// Files may not grow beyond `bytes` for the scope, as on a full disk: write(2) stops short, then
// fails with EFBIG.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

// Permissions mean nothing to root: becomes another user for the scope.
class OrdinaryUser {
 public:
  OrdinaryUser() : user_(geteuid()) {
    if (user_ == 0) is_ordinary_ = seteuid(65534) == 0;
  }
  ~OrdinaryUser() {
    if (user_ == 0) static_cast<void>(seteuid(user_) == 0);
  }
  OrdinaryUser(const OrdinaryUser&) = delete;
  OrdinaryUser& operator=(const OrdinaryUser&) = delete;
  bool is_ordinary() const { return is_ordinary_; }

 private:
  uid_t user_;
  bool is_ordinary_ = true;
};

TEST(FileHandle, ClosesWhatItOwnsOnceAndMoves) {
  const TemporaryFolder folder;
  write_file(folder / "a", "a");
  int first = -1;
  int second = -1;
  {
    FileHandle a = open_for_reading(folder / "a");
    FileHandle b = open_for_reading(folder / "a");
    first = a.get();
    second = b.get();
    a = std::move(b);
    EXPECT_FALSE(is_open(first));
    EXPECT_EQ(a.get(), second);
    const FileHandle c(std::move(a));
    EXPECT_EQ(c.get(), second);
    EXPECT_TRUE(is_open(second));
  }
  EXPECT_FALSE(is_open(second));
}

TEST(Reading, MissingFileIsNamedWithTheReason) {
  const TemporaryFolder folder;
  const Error error = thrown_by([&] { open_for_reading(folder / "none.h5"); });
  EXPECT_EQ(error.code(), ExitCode::kIo);
  EXPECT_EQ(std::string(error.what()),
            "cannot open " + (folder / "none.h5").string() + ": No such file or directory");
}

TEST(Reading, ExactBytesFromAnOffset) {
  const TemporaryFolder folder;
  write_file(folder / "a", "0123456789");
  const FileHandle file = open_for_reading(folder / "a");
  EXPECT_EQ(file_size_bytes(file, folder / "a"), 10U);
  std::string text(4, ' ');
  read_exactly(file, folder / "a", 3, std::as_writable_bytes(std::span(text)));
  EXPECT_EQ(text, "3456");
}

TEST(Reading, ShortFileSaysWhereItEndsAndWhatIsMissing) {
  const TemporaryFolder folder;
  write_file(folder / "a", "0123456789");
  const FileHandle file = open_for_reading(folder / "a");
  std::vector<std::byte> bytes(8);
  const Error error = thrown_by([&] { read_exactly(file, folder / "a", 6, bytes); });
  EXPECT_EQ(error.code(), ExitCode::kIo);
  EXPECT_EQ(std::string(error.what()),
            (folder / "a").string() + " ends at byte 10, 4 bytes too early");
}

TEST(Reading, AFolderIsNoFile) {
  const TemporaryFolder folder;
  const FileHandle file = open_for_reading(folder.path());
  std::vector<std::byte> bytes(1);
  const Error error = thrown_by([&] { read_exactly(file, folder.path(), 0, bytes); });
  EXPECT_THAT(error.what(), HasSubstr("Is a directory"));
}

TEST(ReadText, WholeFileUpToTheLimit) {
  const TemporaryFolder folder;
  const std::string zeros("a\0b\n", 4);
  write_file(folder / "a", zeros);
  write_file(folder / "empty", "");
  EXPECT_EQ(read_text(folder / "a", 4), zeros);
  EXPECT_EQ(read_text(folder / "empty"), "");
  const Error error = thrown_by([&] { return read_text(folder / "a", 3); });
  EXPECT_EQ(error.code(), ExitCode::kIo);
  EXPECT_THAT(error.what(), HasSubstr("has 4 bytes, more than the 3"));
}

TEST(AtomicWrite, ReplacesAndLeavesNothingBeside) {
  const TemporaryFolder folder;
  write_text_atomically(folder / "a.json", "old");
  EXPECT_EQ(read_text(folder / "a.json"), "old");
  write_text_atomically(folder / "a.json", "new content");
  EXPECT_EQ(read_text(folder / "a.json"), "new content");
  EXPECT_THAT(names_in(folder), ElementsAre("a.json"));
}

TEST(AtomicWrite, AReaderSeesOldOrNewButNeverAPart) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "a";
  const std::string a(200'000, 'a');
  const std::string b(300'000, 'b');
  write_text_atomically(path, a);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) write_text_atomically(path, i % 2 == 0 ? b : a);
  });
  int mixed = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string seen = read_text(path);
    if (seen != a && seen != b) ++mixed;
  }
  stop = true;
  writer.join();
  EXPECT_EQ(mixed, 0);
}

TEST(AtomicWrite, FullDiskKeepsTheOldContent) {
  const TemporaryFolder folder;
  write_text_atomically(folder / "a", "old");
  {
    const FileSizeLimit limit(4096);
    const Error error =
        thrown_by([&] { write_text_atomically(folder / "a", std::string(10'000, 'x')); });
    EXPECT_EQ(error.code(), ExitCode::kIo);
    EXPECT_THAT(error.what(), HasSubstr("cannot write " + (folder / "a").string() + ": "));
  }
  EXPECT_EQ(read_text(folder / "a"), "old");
  EXPECT_THAT(names_in(folder), ElementsAre("a"));
}

TEST(AtomicWrite, ReadOnlyFolderIsNamed) {
  const TemporaryFolder folder;
  std::filesystem::permissions(
      folder.path(),
      std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec |
          std::filesystem::perms::others_read | std::filesystem::perms::others_exec);
  {
    const OrdinaryUser user;
    if (!user.is_ordinary()) GTEST_SKIP() << "cannot become an ordinary user";
    const Error error = thrown_by([&] { write_text_atomically(folder / "a", "text"); });
    EXPECT_EQ(error.code(), ExitCode::kIo);
    EXPECT_EQ(std::string(error.what()),
              "cannot write " + (folder / "a").string() + ": Permission denied");
  }
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
  EXPECT_THAT(names_in(folder), IsEmpty());
}

TEST(AtomicWrite, TargetThatIsAFolderLeavesNothingBeside) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "a");
  const Error error = thrown_by([&] { write_text_atomically(folder / "a", "text"); });
  EXPECT_EQ(error.code(), ExitCode::kIo);
  EXPECT_THAT(names_in(folder), ElementsAre("a"));
}

TEST(WriteAll, FullDeviceIsAnIoError) {
  const FileHandle full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  if (!full) GTEST_SKIP() << "no /dev/full here";
  const std::vector<std::byte> bytes(10);
  const Error error = thrown_by([&] { write_all(full, "/dev/full", bytes); });
  EXPECT_EQ(std::string(error.what()), "cannot write /dev/full: No space left on device");
}

TEST(Publish, TemporaryNamesDifferAndLieInTheSameFolder) {
  const std::filesystem::path target = "/data/run/train.h5";
  std::set<std::filesystem::path> names;
  for (int i = 0; i < 10; ++i) {
    const auto name = temporary_beside(target);
    EXPECT_EQ(name.parent_path(), target.parent_path());
    EXPECT_THAT(name.filename().string(), testing::StartsWith(".train.h5."));
    EXPECT_EQ(name.extension(), ".tmp");
    names.insert(name);
  }
  EXPECT_EQ(names.size(), 10U);
  EXPECT_EQ(temporary_beside("plain").parent_path(), "");
}

TEST(Publish, RenamesOverTheTarget) {
  const TemporaryFolder folder;
  write_file(folder / "a", "old");
  const auto temporary = temporary_beside(folder / "a");
  write_file(temporary, "new");
  publish_file(temporary, folder / "a");
  EXPECT_EQ(read_text(folder / "a"), "new");
  EXPECT_THAT(names_in(folder), ElementsAre("a"));
}

TEST(Publish, MissingTemporaryIsAnErrorAndKeepsTheTarget) {
  const TemporaryFolder folder;
  write_file(folder / "a", "old");
  EXPECT_EQ(thrown_by([&] { publish_file(folder / "none", folder / "a"); }).code(), ExitCode::kIo);
  EXPECT_EQ(read_text(folder / "a"), "old");
}

TEST(Folders, AreMadeWithTheirParentsAndMayExist) {
  const TemporaryFolder folder;
  make_folders(folder / "a/b/c");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/c"));
  EXPECT_NO_THROW(make_folders(folder / "a/b/c"));
  EXPECT_NO_THROW(sync_folder(folder / "a/b"));
  EXPECT_NO_THROW(sync_folder(""));
}

TEST(Folders, FileInTheWayIsNamed) {
  const TemporaryFolder folder;
  write_file(folder / "file", "");
  for (const char* name : {"file", "file/below"}) {
    const Error error = thrown_by([&] { make_folders(folder / name); });
    EXPECT_EQ(error.code(), ExitCode::kIo);
    EXPECT_THAT(error.what(), HasSubstr("cannot make the folder " + (folder / name).string()));
  }
  EXPECT_EQ(thrown_by([&] { sync_folder(folder / "none"); }).code(), ExitCode::kIo);
}

}  // namespace
}  // namespace lockstep
