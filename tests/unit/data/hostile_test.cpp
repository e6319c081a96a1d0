// Every hostile file is refused with its reason, and memory does not grow for it.
#include "data_fixture.h"
#include "hostile_corpus.h"

#include <lockstep/base/process.h>
#include <lockstep/data/inspect.h>
#include <lockstep/data/probe.h>

#include <fstream>

namespace lockstep::data {
namespace {

constexpr std::int64_t kMaxGrowthBytes = std::int64_t{64} << 20;

// Lets peak_resident_bytes() start again from here, where the system allows it.
void forget_peak() { std::ofstream("/proc/self/clear_refs") << 5; }

TEST(Hostile, EveryFileIsRefusedWithItsReasonInLittleMemory) {
  const TemporaryFolder folder;
  const std::vector<HostileFile> files = hostile_files();
  EXPECT_GE(files.size(), 60U);
  for (const HostileFile& file : files) file.write(folder / (file.name + ".h5"));
  forget_peak();
  const std::int64_t before = peak_resident_bytes();
  for (const HostileFile& file : files) {
    SCOPED_TRACE(file.name);
    const auto path = folder / (file.name + ".h5");
    expect_error(ExitCode::kBadData, {path.string(), file.reason}, [&] {
      const auto dataset = open_dataset(path, Options{});
      if (file.at_read) pixels_of(*dataset, 0);
    });
    EXPECT_LE(peak_resident_bytes() - before, kMaxGrowthBytes);
  }
}

TEST(Hostile, ACrashOfTheLibraryIsOneError) {
  const auto folder_of_programs = environment("LOCKSTEP_BIN");
  const auto program = std::filesystem::path(folder_of_programs.value_or("")) / "lockstep";
  if (!folder_of_programs || !std::filesystem::exists(program)) {
    GTEST_SKIP() << "needs the program lockstep";
  }
  const TemporaryFolder folder;
  for (const HostileFile& file : crash_files()) {
    SCOPED_TRACE(file.name);
    const auto path = folder / (file.name + ".h5");
    file.write(path);
    expect_error(ExitCode::kBadData, {path.string(), file.reason, "process of its own"}, [&] {
      probe_file(program, path, Options{});
    });
  }
}

// What is listed is not opened for reading, and refused data sets say why.
TEST(Hostile, ListingIsSafe) {
  const TemporaryFolder folder;
  for (const HostileFile& file : hostile_files()) {
    SCOPED_TRACE(file.name);
    const auto path = folder / (file.name + ".h5");
    file.write(path);
    try {
      for (const ListedArray& array : list_file(path).arrays) {
        EXPECT_FALSE(array.info.key.empty());
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kBadData) << error.what();
    }
  }
}

}  // namespace
}  // namespace lockstep::data
