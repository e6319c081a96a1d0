// Several files and the manifest that makes them one: in order, verified, all or nothing.
#include "sharded_writer.h"

#include "manifest.h"
#include "ragged_fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace lockstep::data {
namespace {

TEST(ShardedWriter, FilesAndManifestFitTogether) {
  const TemporaryFolder folder;
  const auto source = make_synthetic(small_options(11));
  const DatasetInfo info =
      import_samples(*source, {folder / "train.h5", "train", false, 3}, {}, {});
  EXPECT_EQ(folder.names(),
            (std::vector<std::string>{"train-00000-of-00003.h5",
                                      "train-00001-of-00003.h5",
                                      "train-00002-of-00003.h5",
                                      "train.json"}));
  EXPECT_EQ(info.path, folder / "train.json");
  EXPECT_EQ(info.num_samples, 11);
  EXPECT_EQ(info.shards.size(), 3U);
  const Manifest manifest = read_manifest(folder / "train.json");
  EXPECT_EQ(manifest.info.content_digest, info.content_digest);
  std::int64_t total = 0;
  for (const ManifestShard& shard : manifest.shards) {
    const auto file = open_dataset(folder / shard.file, Options{});
    EXPECT_EQ(file->info().num_samples, shard.num_samples);
    EXPECT_EQ(file->info().content_digest, shard.content_digest);
    EXPECT_GE(shard.num_samples, 3);
    total += shard.num_samples;
  }
  EXPECT_EQ(total, 11);
}

TEST(ShardedWriter, StatisticsAreThoseOfAllFiles) {
  const TemporaryFolder folder;
  const DatasetInfo one = write_small(folder / "one.h5", 10);
  const DatasetInfo many = import_samples(
      *make_synthetic(small_options(10)), {folder / "many.json", "", false, 4}, {}, {});
  EXPECT_EQ(many.image_mean, one.image_mean);
  EXPECT_EQ(many.image_std, one.image_std);
}

TEST(ShardedWriter, FewerSamplesThanAnnouncedMakeFewerFiles) {
  const TemporaryFolder folder;
  write_ragged(folder / "v.json", {.num_samples = 5, .announced = 12}, 4);
  EXPECT_EQ(folder.names(),
            (std::vector<std::string>{"v-00000-of-00002.h5", "v-00001-of-00002.h5", "v.json"}));
  expect_ragged(*open_dataset(folder / "v.json", Options{}), {.num_samples = 5});
}

// Their names are known only at the end.
TEST(ShardedWriter, FewerFilesReplaceNoOthers) {
  const TemporaryFolder folder;
  write_file(folder / "v-00001-of-00002.h5", "mine");
  expect_error(ExitCode::kIo, {"v-00001-of-00002.h5 exists", "--force"}, [&] {
    write_ragged(folder / "v.json", {.num_samples = 5, .announced = 12}, 4);
  });
  EXPECT_EQ(folder.names(), std::vector<std::string>{"v-00001-of-00002.h5"});
  EXPECT_EQ(read_file(folder / "v-00001-of-00002.h5"), "mine");
}

TEST(ShardedWriter, MoreFilesThanSamplesAreNotMade) {
  const TemporaryFolder folder;
  write_ragged(folder / "v.json", {.num_samples = 2}, 5);
  EXPECT_EQ(folder.names().size(), 3U);
}

TEST(ShardedWriter, NoSamplesAreAnErrorAndLeaveNothing) {
  const TemporaryFolder folder;
  expect_error(ExitCode::kBadData, {"no samples", "v.json"}, [&] {
    write_ragged(folder / "v.json", {.num_samples = 0, .announced = 12}, 4);
  });
  EXPECT_TRUE(folder.names().empty());
}

TEST(ShardedWriter, WhatIsThereIsKeptUnlessForced) {
  const TemporaryFolder folder;
  write_file(folder / "v-00001-of-00002.h5", "mine");
  expect_error(ExitCode::kIo, {"v-00001-of-00002.h5 exists", "--force"}, [&] {
    write_ragged(folder / "v.json", {}, 2);
  });
  std::filesystem::remove(folder / "v-00001-of-00002.h5");
  write_file(folder / "v.json", "mine");
  expect_error(ExitCode::kIo, {"v.json exists"}, [&] { write_ragged(folder / "v.h5", {}, 2); });
  EXPECT_EQ(folder.names(), std::vector<std::string>{"v.json"});
  RaggedSource source({});
  import_samples(source, {folder / "v.json", "", true, 2}, {}, {});
  expect_ragged(*open_dataset(folder / "v.json", Options{}), {});
}

TEST(ShardedWriter, KilledWriterLeavesNothingThatLooksFinished) {
  const TemporaryFolder folder;
  for (const std::int64_t kill_at : {1, 700, 1200}) {
    const pid_t child = fork();
    if (child == 0) {
      std::int64_t count = 0;
      const auto step = [&](std::int64_t) {
        if (++count == kill_at) raise(SIGKILL);
      };
      import_samples(
          *make_synthetic(small_options(700)), {folder / "t.json", "", false, 3}, step, step);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    for (const std::string& name : folder.names()) EXPECT_EQ(name[0], '.') << name;
  }
}

}  // namespace
}  // namespace lockstep::data
