// Who passes is remembered; whose parser dies, hangs or eats memory is named. Programs that do so
// are shell scripts here; tests/faults has a file that does it to HDF5.
#include "data_fixture.h"

#include <lockstep/data/probe.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace lockstep::data {
namespace {

class Probe : public ::testing::Test {
 protected:
  void SetUp() override {
    write_foreign(path_, {});
    setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
  }
  void TearDown() override { unsetenv("XDG_CACHE_HOME"); }

  std::filesystem::path program(const std::string& script) {
    const auto path = folder_ / "program";
    std::filesystem::remove(path);
    write_file(path,
               "#!/bin/sh\necho run >> " + (folder_ / "runs").string() + "\n" + script + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  std::size_t runs() const {
    return std::filesystem::exists(folder_ / "runs") ? read_file(folder_ / "runs").size() / 4 : 0;
  }
  void refused(const std::string& script,
               std::initializer_list<std::string> fragments,
               ExitCode code = ExitCode::kBadData) {
    const auto file = program(script);
    expect_error(code, fragments, [&] { probe_file(file, path_, {}); });
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "f.h5";
};

TEST_F(Probe, APassIsRememberedUntilTheFileChanges) {
  const auto good = program("exit 0");
  for (int i = 0; i < 3; ++i) probe_file(good, path_, {});
  EXPECT_EQ(runs(), 1U);
  Options other;
  other.image_key = "x";
  probe_file(good, path_, other);
  EXPECT_EQ(runs(), 2U);
  edit(path_, [](hid_t file) { H5Ldelete(file, "label", H5P_DEFAULT); });
  probe_file(good, path_, {});
  EXPECT_EQ(runs(), 3U);
}

TEST_F(Probe, AFailureIsNotRemembered) {
  refused("exit 65", {});
  refused("exit 65", {});
  EXPECT_EQ(runs(), 2U);
}

TEST_F(Probe, ACacheThatCannotBeWrittenIsIgnored) {
  write_file(folder_ / "blocked", "");
  setenv("XDG_CACHE_HOME", (folder_ / "blocked").c_str(), 1);
  const auto good = program("exit 0");
  probe_file(good, path_, {});
  probe_file(good, path_, {});
  EXPECT_EQ(runs(), 2U);
}

TEST_F(Probe, TheChildsReasonIsPassedOn) {
  refused("echo noise; echo 'f.h5: no good'; exit 65", {"f.h5: no good"});
  refused("echo 'cannot open f.h5'; exit 74", {"cannot open f.h5"}, ExitCode::kIo);
}

TEST_F(Probe, DeathIsNamed) {
  refused("kill -SEGV $$", {path_.string(), "crashed (signal 11"});
  refused("kill -ABRT $$", {path_.string(), "crashed (signal 6"});
  refused("kill -XCPU $$", {path_.string(), "did not come to an end"});
  refused("kill -ALRM $$", {path_.string(), "did not come to an end"});
  refused("exit 71", {path_.string(), "too much memory"});
  refused("exit 3", {path_.string(), "code 3"});
  refused("head -c 1000000 /dev/zero; exit 3", {"code 3"});
}

TEST_F(Probe, WhatIsNoFileIsLeftToTheReader) {
  probe_file(program("exit 65"), folder_ / "none.h5", {});
  probe_file(program("exit 65"), folder_.path(), {});
  EXPECT_EQ(runs(), 0U);
  expect_error(
      ExitCode::kIo, {"/no/such/program"}, [&] { probe_file("/no/such/program", path_, {}); });
}

// The status of a child that probes here.
int probed(const std::filesystem::path& path, const ProbeLimits& limits) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      probe_here(path, {}, limits);
      _exit(0);
    } catch (...) {
      _exit(static_cast<int>(current_error().code()));
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST_F(Probe, HereTakesWhatIsGoodAndRefusesTheRest) {
  EXPECT_EQ(probed(path_, {}), 0);
  write_foreign(folder_ / "names.h5", {.image_key = "other"});
  EXPECT_EQ(probed(folder_ / "names.h5", {}), 0);
  write_foreign(folder_ / "bad.h5", {.num_labels = 5});
  EXPECT_EQ(WEXITSTATUS(probed(folder_ / "bad.h5", {})), 65);
  EXPECT_EQ(WEXITSTATUS(probed(folder_ / "none.h5", {})), 74);
}

}  // namespace
}  // namespace lockstep::data
