// Whatever can be read becomes a file of ours with the same samples.
#include "ragged_fixture.h"

#include <lockstep/data/inspect.h>

namespace lockstep::data {
namespace {

DatasetInfo repack(const std::filesystem::path& from,
                   const std::filesystem::path& to,
                   bool deflate = false,
                   std::int64_t num_shards = 0) {
  const auto source = open_repack(from, Options{}, deflate);
  return import_samples(*source, {to, "", false, num_shards}, {}, {});
}

TEST(Repack, ForeignFilesOfEveryStorage) {
  const TemporaryFolder folder;
  int number = 0;
  for (const bool chunked : {false, true}) {
    for (const bool deflate : {false, true}) {
      const std::string name = std::to_string(number++);
      write_foreign(folder / (name + ".h5"),
                    {.shape = {7, 4, 5, 3}, .chunked = chunked, .deflate = chunked && deflate});
      const auto before = open_dataset(folder / (name + ".h5"), Options{});
      repack(folder / (name + ".h5"), folder / (name + "out.h5"), deflate);
      const auto after = open_dataset(folder / (name + "out.h5"), Options{});
      EXPECT_TRUE(after->info().native);
      EXPECT_EQ(after->info().classes, before->info().classes);
      for (std::int64_t i = 0; i < 7; ++i) {
        EXPECT_EQ(pixels_of(*after, i), pixels_of(*before, i));
        EXPECT_EQ(after->label(i), before->label(i));
        EXPECT_EQ(after->sample_id(i), i);
      }
      EXPECT_TRUE(verify_dataset(folder / (name + "out.h5"), Options{}, {}).good());
    }
  }
}

TEST(Repack, ThereAndBackGivesTheSameFile) {
  const TemporaryFolder folder;
  for (const bool detection : {false, true}) {
    const std::string n = detection ? "d" : "c";
    write_small(folder / (n + ".h5"), 13, detection);
    repack(folder / (n + ".h5"), folder / (n + "z.h5"), true);
    repack(folder / (n + "z.h5"), folder / (n + "s.json"), false, 4);
    repack(folder / (n + "s.json"), folder / (n + "b.h5"));
    EXPECT_EQ(read_file(folder / (n + "b.h5")), read_file(folder / (n + ".h5")));
  }
}

TEST(Repack, DeflatedFilesHaveTheDigestOfTheirPixels) {
  const TemporaryFolder folder;
  const DatasetInfo plain = write_small(folder / "a.h5", 13);
  const DatasetInfo packed = repack(folder / "a.h5", folder / "z.h5", true);
  EXPECT_EQ(packed.content_digest, plain.content_digest);
  const Inspection found = inspect_dataset(folder / "z.h5", Options{});
  EXPECT_EQ(found.arrays.front().chunk, (std::vector<std::uint64_t>{1, 16, 16, 1}));
}

TEST(Repack, JpegFilesAndDifferingSizesStayWhatTheyAre) {
  const TemporaryFolder folder;
  for (const char* encoding : {"raw", "jpeg"}) {
    const std::string n = encoding;
    const RaggedOptions options{.num_samples = 12, .encoding = n, .detection = true};
    write_ragged(folder / (n + ".json"), options, 3);
    const DatasetInfo after = repack(folder / (n + ".json"), folder / (n + ".h5"));
    expect_ragged(*open_dataset(folder / (n + ".h5"), Options{}), options);
    const auto before = open_dataset(folder / (n + ".json"), Options{});
    EXPECT_EQ(after.image_mean, before->info().image_mean);
    EXPECT_EQ(after.image_std, before->info().image_std);
    EXPECT_EQ(after.split, "train");
    expect_error(ExitCode::kUsage, {"--deflate"}, [&] {
      open_repack(folder / (n + ".h5"), Options{}, true);
    });
  }
}

TEST(Repack, DamagedSamplesAreNotCopied) {
  const TemporaryFolder folder;
  const auto path = folder / "a.h5";
  write_small(path, 8);
  std::string bytes = read_file(path);
  const Inspection found = inspect_dataset(path, Options{});
  bytes[found.arrays.front().offset_bytes + 300] ^= 1;
  write_file(path, bytes);
  expect_error(ExitCode::kBadData, {"sample 1", "CRC-32C"}, [&] { repack(path, folder / "b.h5"); });
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.h5"});
}

}  // namespace
}  // namespace lockstep::data
