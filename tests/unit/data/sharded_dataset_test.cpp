// Several files are read as one data set; a file that is not the manifest's own is refused.
#include "sharded_dataset.h"

#include "ragged_fixture.h"

#include <iterator>

namespace lockstep::data {
namespace {

TEST(ShardedDataset, SameSamplesAsOneFile) {
  const TemporaryFolder folder;
  for (const bool detection : {false, true}) {
    SyntheticOptions options = small_options(23);
    options.detection = detection;
    const std::string name = detection ? "d" : "c";
    import_samples(*make_synthetic(options), {folder / (name + ".h5"), "", false, 0}, {}, {});
    import_samples(*make_synthetic(options), {folder / (name + ".json"), "", false, 5}, {}, {});
    const auto one = open_dataset(folder / (name + ".h5"), Options{});
    const auto many = open_dataset(folder / (name + ".json"), Options{});
    ASSERT_EQ(many->info().num_samples, 23);
    EXPECT_EQ(many->info().height, 16);
    EXPECT_EQ(many->info().classes, one->info().classes);
    EXPECT_NE(many->info().content_digest, one->info().content_digest);
    for (std::int64_t i = 0; i < 23; ++i) {
      EXPECT_EQ(pixels_of(*many, i), pixels_of(*one, i));
      EXPECT_EQ(stored_of(*many, i), pixels_of(*one, i));
      EXPECT_EQ(many->label(i), one->label(i));
      EXPECT_EQ(many->sample_id(i), one->sample_id(i));
      EXPECT_TRUE(std::ranges::equal(many->boxes(i).corners, one->boxes(i).corners));
      EXPECT_EQ(many->image_size(i), (ImageSize{16, 16}));
    }
    expect_error(ExitCode::kInternal, {"no such sample"}, [&] { pixels_of(*many, 23); });
  }
}

TEST(ShardedDataset, DifferingSizesAndJpegFiles) {
  const TemporaryFolder folder;
  for (const char* encoding : {"raw", "jpeg"}) {
    for (const bool detection : {false, true}) {
      const RaggedOptions options{.num_samples = 17, .encoding = encoding, .detection = detection};
      const auto path = folder / (std::string(encoding) + (detection ? "d" : "c") + ".json");
      write_ragged(path, options, 4);
      expect_ragged(*open_dataset(path, Options{}), options);
      const Verification verification = verify_dataset(path, Options{}, {});
      EXPECT_TRUE(verification.good());
      EXPECT_EQ(verification.num_samples, 17);
    }
  }
}

// Neither reader holds a descriptor for every file.
TEST(ShardedDataset, MoreFilesThanAreOpenAtATime) {
  const TemporaryFolder folder;
  constexpr std::int64_t kFiles = 300;
  import_samples(
      *make_synthetic(small_options(kFiles)), {folder / "a.json", "", false, kFiles}, {}, {});
  const auto num_open = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  const auto before = num_open();
  std::vector<std::vector<std::byte>> seen;
  for (const char* reader : {"engine", "naive"}) {
    Options options;
    options.reader = reader;
    const auto dataset = open_dataset(folder / "a.json", options);
    for (const std::int64_t i : {299, 0, 150, 1, 298, 299}) seen.push_back(pixels_of(*dataset, i));
    EXPECT_LT(num_open() - before, kFiles) << reader;
    EXPECT_GT(num_open() - before, 100) << reader;
  }
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(seen[i], seen[i + 6]);
}

TEST(ShardedDataset, FilesOfAnotherSetAreRefused) {
  const TemporaryFolder folder;
  const auto open = [&] { open_dataset(folder / "a.json", Options{}); };
  import_samples(*make_synthetic(small_options(8)), {folder / "a.json", "", false, 2}, {}, {});
  SyntheticOptions other = small_options(8);
  other.seed = 8;
  import_samples(*make_synthetic(other), {folder / "b.json", "", false, 2}, {}, {});
  const auto first = folder / "a-00000-of-00002.h5";
  const std::string sound = read_file(first);
  std::filesystem::copy_file(
      folder / "b-00000-of-00002.h5", first, std::filesystem::copy_options::overwrite_existing);
  expect_error(ExitCode::kBadData, {first.string(), "content_digest", "a.json"}, open);
  write_file(first, sound + "x");
  expect_error(ExitCode::kBadData, {first.string(), "bytes"}, open);
  write_file(first, sound.substr(0, 100));
  expect_error(ExitCode::kBadData, {first.string(), "bytes"}, open);
  std::filesystem::remove(first);
  expect_error(ExitCode::kIo, {first.string(), "No such file"}, open);
  write_file(first, sound);
  open();
}

TEST(ShardedDataset, DamagedSamplesAreListedByTheirNumberInTheWhole) {
  const TemporaryFolder folder;
  import_samples(*make_synthetic(small_options(9)), {folder / "a.json", "", false, 3}, {}, {});
  const auto second = folder / "a-00001-of-00003.h5";
  std::string bytes = read_file(second);
  const auto offset = open_file_dataset(second, Options{})->tables().arrays[0].offset_bytes;
  bytes[offset + 2 * 256] = static_cast<char>(~bytes[offset + 2 * 256]);
  write_file(second, bytes);
  const Verification verification = verify_dataset(folder / "a.json", Options{}, {});
  EXPECT_FALSE(verification.good());
  EXPECT_EQ(verification.bad_samples, std::vector<std::int64_t>{5});
  const auto dataset = open_dataset(folder / "a.json", Options{});
  expect_error(ExitCode::kBadData, {second.string(), "sample 2", "CRC-32C"}, [&] {
    pixels_of(*dataset, 5);
  });
}

TEST(ShardedDataset, InspectionCountsAllFiles) {
  const TemporaryFolder folder;
  write_ragged(folder / "a.json", {.num_samples = 14, .detection = true}, 3);
  const Inspection found = inspect_dataset(folder / "a.json", Options{});
  EXPECT_EQ(found.info.num_samples, 14);
  EXPECT_EQ(found.num_boxes, 13);
  EXPECT_EQ(found.samples_per_class, (std::vector<std::int64_t>{0, 5, 8}));
  EXPECT_EQ(found.arrays.front().key, "image_bytes");
}

}  // namespace
}  // namespace lockstep::data
