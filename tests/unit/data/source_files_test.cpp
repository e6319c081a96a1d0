// Names that others wrote never open anything but regular files below the root.
#include "source_files.h"

#include "data_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace lockstep::data {
namespace {

class SourceFilesTest : public ::testing::TestWithParam<Resolving> {
 protected:
  SourceFilesTest() {
    std::filesystem::create_directories(folder_ / "root/sub/deep");
    std::filesystem::create_directories(folder_ / "outside");
    write_file(folder_ / "outside/secret", "secret");
    write_file(folder_ / "root/a", "inside");
    write_file(folder_ / "root/sub/b", "below");
    link("../outside/secret", "root/link-out");
    link((folder_ / "outside/secret").string(), "root/link-absolute");
    link("../outside", "root/folder-out");
    link("a", "root/link-in");
    link("sub", "root/folder-in");
    link("loop-b", "root/loop-a");
    link("loop-a", "root/loop-b");
    link("nowhere", "root/dangling");
    link("/proc/self/fd/0", "root/magic");
    link("/", "root/sub/slash");
    mkfifo((folder_ / "root/pipe").c_str(), 0600);
    std::filesystem::create_hard_link(folder_ / "root/a", folder_ / "root/hard");
  }

  void link(const std::string& target, const std::string& name) {
    std::filesystem::create_symlink(target, folder_ / name);
  }
  SourceFolder root() const { return SourceFolder(folder_ / "root", GetParam()); }

  TemporaryFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(BothWays,
                         SourceFilesTest,
                         ::testing::Values(Resolving::kKernel, Resolving::kSteps));

TEST_P(SourceFilesTest, RegularFilesBelowTheRootAreRead) {
  for (const auto& [name, content] : {std::pair("a", "inside"),
                                      std::pair("sub/b", "below"),
                                      std::pair("./a", "inside"),
                                      std::pair("sub//b", "below"),
                                      std::pair("sub/./b", "below"),
                                      std::pair("hard", "inside")}) {
    EXPECT_EQ(root().read_text(name, 100), content) << name;
    EXPECT_TRUE(root().has_file(name)) << name;
  }
}

TEST_P(SourceFilesTest, NothingElseIs) {
  const std::vector<std::string> names{
      "",
      "/",
      "..",
      ".",
      "sub",
      "sub/",
      "a/",
      "a/b",
      "missing",
      "/etc/passwd",
      (folder_ / "outside/secret").string(),
      (folder_ / "root/a").string(),
      "../outside/secret",
      "sub/../../outside/secret",
      "sub/../a",
      "./../outside/secret",
      "sub/deep/../../../outside/secret",
      "//etc/passwd",
      "link-out",
      "link-absolute",
      "folder-out/secret",
      "link-in",
      "folder-in/b",
      "loop-a",
      "dangling",
      "magic",
      "sub/slash/etc/passwd",
      "sub/slash",
      "pipe",
      std::string("a\0b", 3),
      std::string(300, 'n'),
      std::string(5000, 'n'),
      std::string(5000, '/') + "a",
      "\xFF\xFE",
      "A",
  };
  EXPECT_GE(names.size(), 30U);
  for (const std::string& name : names) {
    SCOPED_TRACE(printable(name));
    expect_error(ExitCode::kBadData, {}, [&] { root().read(name, 100); });
    EXPECT_FALSE(root().has_file(name));
  }
}

TEST_P(SourceFilesTest, DevicesAreNotOpened) {
  const SourceFolder devices("/dev", GetParam());
  for (const char* name : {"null", "zero"}) {
    expect_error(ExitCode::kBadData, {name, "not a regular file"}, [&] { devices.read(name, 9); });
  }
}

TEST_P(SourceFilesTest, OddNamesThatAreThereAreRead) {
  const std::string name = "n\xC3\xA4me \xFF\n'\"$(x)";
  write_file(folder_ / ("root/" + name), "odd");
  EXPECT_EQ(root().read_text(name, 100), "odd");
}

TEST_P(SourceFilesTest, LongFilesAreRefused) {
  expect_error(ExitCode::kBadData, {"a", "6 bytes", "5"}, [&] { root().read("a", 5); });
}

TEST_P(SourceFilesTest, ListsAreSortedAndSayWhatIsThere) {
  const auto entries = root().list("");
  ASSERT_TRUE(std::is_sorted(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.name < b.name;
  }));
  const auto kind = [&](const std::string& name) {
    return std::find_if(entries.begin(),
                        entries.end(),
                        [&](const auto& entry) { return entry.name == name; })
        ->kind;
  };
  EXPECT_EQ(kind("a"), SourceFolder::EntryKind::kFile);
  EXPECT_EQ(kind("sub"), SourceFolder::EntryKind::kFolder);
  EXPECT_EQ(kind("folder-out"), SourceFolder::EntryKind::kLink);
  EXPECT_EQ(kind("pipe"), SourceFolder::EntryKind::kOther);
  EXPECT_EQ(root().list("sub").size(), 3U);
  for (const char* name : {"folder-out", "../outside", "/etc", "missing", "a", "sub/slash"}) {
    expect_error(ExitCode::kBadData, {}, [&] { root().list(name); });
  }
}

TEST(SourceFiles, TheRootMustBeAFolder) {
  const TemporaryFolder folder;
  write_file(folder / "f", "x");
  expect_error(ExitCode::kIo, {"missing"}, [&] { SourceFolder(folder / "missing"); });
  expect_error(ExitCode::kIo, {"f"}, [&] { SourceFolder(folder / "f"); });
}

TEST(SourceFiles, Utf8IsChecked) {
  for (const char* good : {"", "abc", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const char* bad :
       {"\xFF", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

TEST(SourceFiles, PrintableNamesAreShortAndHarmless) {
  EXPECT_EQ(printable("a\n\x7F\xC3\xA4\xFF"), "a\\x0a\\x7f\xC3\xA4\\xff");
  EXPECT_LE(printable(std::string(5000, 'x')).size(), 210U);
}

}  // namespace
}  // namespace lockstep::data
