// A file under its final name is whole: killed, failed and refused writes leave none.
#include "data_fixture.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>

namespace lockstep::data {
namespace {

WriterOptions options_of(const std::filesystem::path& path) {
  WriterOptions options;
  options.path = path;
  options.classes = {"a", "b"};
  options.num_samples = 3;
  options.height = options.width = 4;
  options.channels = 1;
  return options;
}

// Runs `work` in a child and returns its exit status.
int in_child(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    int code = 99;
    try {
      code = work();
    } catch (const Error& error) {
      code = static_cast<int>(error.code());
    } catch (...) {
    }
    _exit(code);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST(Writer, SameSamplesGiveTheSameBytes) {
  const TemporaryFolder folder;
  write_small(folder / "a.h5", 10);
  write_small(folder / "b.h5", 10);
  EXPECT_EQ(read_file(folder / "a.h5"), read_file(folder / "b.h5"));
}

TEST(Writer, ExistingTargetIsKeptUnlessForced) {
  const TemporaryFolder folder;
  const auto path = folder / "a.h5";
  write_file(path, "mine");
  expect_error(ExitCode::kIo, {path.string(), "exists", "--force"}, [&] { write_small(path, 3); });
  EXPECT_EQ(read_file(path), "mine");
  import_samples(*make_synthetic(small_options(5)), {path, "", true, 0}, {}, {});
  EXPECT_EQ(open_dataset(path, Options{})->info().num_samples, 5);
}

TEST(Writer, WrongSamplesAreRefusedAndNothingStays) {
  const TemporaryFolder folder;
  const std::vector<std::byte> pixels(16);
  expect_error(ExitCode::kBadData, {"sample 1", "label 2", "2 classes"}, [&] {
    Writer writer(options_of(folder / "a.h5"));
    writer.add({pixels, {4, 4}, 1, 0, {}, {}});
    writer.add({pixels, {4, 4}, 2, 1, {}, {}});
  });
  expect_error(ExitCode::kBadData, {"no samples", (folder / "a.h5").string()}, [&] {
    Writer writer(options_of(folder / "a.h5"));
    writer.finish();
  });
  expect_error(ExitCode::kBadData, {"class 1", "UTF-8"}, [&] {
    auto options = options_of(folder / "a.h5");
    options.classes = {"a", "b\xff"};
    Writer writer(options);
  });
  expect_error(ExitCode::kBadData, {"channels"}, [&] {
    auto options = options_of(folder / "a.h5");
    options.channels = 4;
    Writer writer(options);
  });
  expect_error(ExitCode::kBadData, {"not a size"}, [&] {
    auto options = options_of(folder / "a.h5");
    options.height = options.width = options.num_samples = std::int64_t{1} << 31;
    Writer writer(options);
  });
  EXPECT_TRUE(folder.names().empty());
}

TEST(Writer, FewerSamplesThanAnnouncedAreThoseThatCame) {
  const TemporaryFolder folder;
  const std::vector<std::byte> pixels(16);
  Writer writer(options_of(folder / "a.h5"));
  writer.add({pixels, {4, 4}, 1, 7, {}, {}});
  EXPECT_EQ(writer.finish().num_samples, 1);
  const auto dataset = open_dataset(folder / "a.h5", Options{});
  EXPECT_EQ(dataset->info().num_samples, 1);
  EXPECT_EQ(dataset->sample_id(0), 7);
}

TEST(Writer, NameOfAManifestIsNotThatOfOneFile) {
  const TemporaryFolder folder;
  expect_error(
      ExitCode::kUsage, {"a.json", "--shards"}, [&] { write_small(folder / "a.json", 3); });
}

TEST(Writer, FolderThatIsNotThereIsNamed) {
  const TemporaryFolder folder;
  expect_error(ExitCode::kIo, {(folder / "no/").string(), "No such file"}, [&] {
    write_small(folder / "no/a.h5", 3);
  });
}

TEST(Writer, ManyClassesAreMoreThanAnObjectHeaderHolds) {
  const TemporaryFolder folder;
  auto options = options_of(folder / "a.h5");
  for (int i = 0; i < 20000; ++i) options.classes.push_back("class number " + std::to_string(i));
  Writer writer(options);
  const std::vector<std::byte> pixels(16);
  for (std::int64_t i = 0; i < 3; ++i) writer.add({pixels, {4, 4}, 20001 - i, i, {}, {}});
  EXPECT_EQ(writer.finish().classes, options.classes);
  EXPECT_EQ(open_dataset(folder / "a.h5", Options{})->label(0), 20001);
}

TEST(Writer, StatisticsAreThoseOfThePixels) {
  const TemporaryFolder folder;
  Writer writer(options_of(folder / "a.h5"));
  for (std::int64_t i = 0; i < 3; ++i) {
    const std::vector<std::byte> pixels(16, static_cast<std::byte>(100 * i));
    writer.add({pixels, {4, 4}, 0, i, {}, {}});
  }
  const DatasetInfo info = writer.finish();
  EXPECT_NEAR(info.image_mean[0], 100.0 / 255, 1e-12);
  EXPECT_NEAR(info.image_std[0], std::sqrt(20000.0 / 3) / 255, 1e-12);
}

TEST(Writer, KilledWriterLeavesNothingThatLooksFinished) {
  const TemporaryFolder folder;
  const auto path = folder / "a.h5";
  for (const std::int64_t kill_at : {1, 2000, 4000}) {
    const int status = in_child([&] {
      std::int64_t count = 0;
      import_samples(
          *make_synthetic(small_options(2000)),
          {path, "", false, 0},
          [&](std::int64_t) {
            if (++count == kill_at) raise(SIGKILL);
          },
          [&](std::int64_t) {
            if (++count == kill_at) raise(SIGKILL);
          });
      return 0;
    });
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_FALSE(std::filesystem::exists(path));
    for (const std::string& name : folder.names()) EXPECT_EQ(name[0], '.') << name;
  }
  // What is left behind does not stand in the way of the next attempt.
  write_small(path, 5);
  EXPECT_EQ(open_dataset(path, Options{})->info().num_samples, 5);
}

TEST(Writer, FullDiskIsAnInputOutputErrorAndLeavesNothing) {
  const TemporaryFolder folder;
  const auto path = folder / "a.h5";
  // 2,000 samples of 256 bytes; limits from "nothing fits" to "all but the end fits".
  write_small(folder / "whole.h5", 2000);
  const auto whole = std::filesystem::file_size(folder / "whole.h5");
  std::filesystem::remove(folder / "whole.h5");
  for (const std::uintmax_t limit : {whole / 1000, whole / 3, whole - 10000, whole - 1}) {
    const int status = in_child([&] {
      signal(SIGXFSZ, SIG_IGN);
      const rlimit bound{limit, limit};
      setrlimit(RLIMIT_FSIZE, &bound);
      write_small(path, 2000);
      return 0;
    });
    ASSERT_TRUE(WIFEXITED(status)) << limit;
    EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(ExitCode::kIo)) << limit;
    EXPECT_TRUE(folder.names().empty()) << limit;
  }
}

}  // namespace
}  // namespace lockstep::data
