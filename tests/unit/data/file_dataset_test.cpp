// A file is read back as it was written; wrong files are refused with code, file and reason.
#include "file_dataset.h"

#include "ragged_fixture.h"

namespace lockstep::data {
namespace {

TEST(FileDataset, RoundTripOfEverySampleAndFact) {
  const TemporaryFolder folder;
  const auto path = folder / "a.h5";
  const DatasetInfo written = write_small(path, 20);
  const auto dataset = open_dataset(path, Options{});
  const DatasetInfo& info = dataset->info();
  EXPECT_EQ(info.num_samples, 20);
  EXPECT_EQ(info.height, 16);
  EXPECT_EQ(info.width, 16);
  EXPECT_EQ(info.channels, 1);
  EXPECT_EQ(info.classes, (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(info.split, "train");
  EXPECT_EQ(info.task, "classification");
  EXPECT_TRUE(info.native);
  EXPECT_TRUE(info.has_checksums);
  EXPECT_EQ(info.content_digest.size(), 64U);
  EXPECT_EQ(written.content_digest, info.content_digest);
  EXPECT_EQ(written.path, path);
  const auto source = make_synthetic(small_options(20));
  for (std::int64_t i = 0; i < 20; ++i) {
    const Sample sample = source->next().value();
    const auto pixels = pixels_of(*dataset, i);
    EXPECT_TRUE(std::equal(pixels.begin(), pixels.end(), sample.bytes.begin(), sample.bytes.end()));
    EXPECT_EQ(dataset->label(i), sample.label);
    EXPECT_EQ(dataset->sample_id(i), i);
    EXPECT_TRUE(dataset->boxes(i).classes.empty());
  }
}

TEST(FileDataset, BoxesRoundTrip) {
  const TemporaryFolder folder;
  write_small(folder / "d.h5", 30, true);
  const auto dataset = open_dataset(folder / "d.h5", Options{});
  EXPECT_EQ(dataset->info().task, "detection");
  auto options = small_options(30);
  options.detection = true;
  const auto source = make_synthetic(options);
  for (std::int64_t i = 0; i < 30; ++i) {
    const Sample sample = source->next().value();
    const Boxes boxes = dataset->boxes(i);
    ASSERT_EQ(boxes.classes.size(), sample.boxes.classes.size());
    EXPECT_TRUE(std::equal(boxes.corners.begin(),
                           boxes.corners.end(),
                           sample.boxes.corners.begin(),
                           sample.boxes.corners.end()));
    EXPECT_TRUE(std::equal(boxes.classes.begin(),
                           boxes.classes.end(),
                           sample.boxes.classes.begin(),
                           sample.boxes.classes.end()));
    EXPECT_EQ(boxes.areas.size(), boxes.classes.size());
    EXPECT_EQ(boxes.crowd.size(), boxes.classes.size());
  }
}

TEST(FileDataset, NaiveReaderSeesTheSameBytes) {
  const TemporaryFolder folder;
  write_small(folder / "a.h5", 8);
  Options naive;
  naive.reader = "naive";
  const auto slow = open_dataset(folder / "a.h5", naive);
  const auto fast = open_dataset(folder / "a.h5", Options{});
  for (std::int64_t i = 0; i < 8; ++i) EXPECT_EQ(pixels_of(*slow, i), pixels_of(*fast, i));
}

TEST(FileDataset, DamagedSampleIsNamedWhenVerified) {
  const TemporaryFolder folder;
  const auto path = folder / "a.h5";
  write_small(path, 8);
  std::string bytes = read_file(path);
  const auto offset = open_file_dataset(path, Options{})->tables().arrays[0].offset_bytes;
  bytes[offset + 3 * 256 + 17] = static_cast<char>(bytes[offset + 3 * 256 + 17] ^ 4);
  write_file(path, bytes);
  const auto dataset = open_dataset(path, Options{});
  pixels_of(*dataset, 2);
  pixels_of(*dataset, 3, false);
  expect_error(ExitCode::kBadData, {path.string(), "sample 3", "CRC-32C", "bytes "}, [&] {
    pixels_of(*dataset, 3);
  });
}

TEST(FileDataset, WhatIsNoDataFileIsRefused) {
  const TemporaryFolder folder;
  const auto path = folder / "x.h5";
  const auto open = [&] { open_dataset(path, Options{}); };
  expect_error(ExitCode::kIo, {path.string(), "No such file"}, open);
  write_file(path, "");
  expect_error(ExitCode::kBadData, {path.string(), "empty"}, open);
  write_file(path, std::string(5000, 'x'));
  expect_error(ExitCode::kBadData, {path.string(), "not an HDF5 file"}, open);
  expect_error(ExitCode::kIo, {folder.path().string(), "folder"}, [&] {
    open_dataset(folder.path(), Options{});
  });
  expect_error(ExitCode::kIo, {"train.json", "No such file"}, [&] {
    open_dataset(folder / "train.json", Options{});
  });
}

TEST(FileDataset, EveryTruncationIsRefusedOrHarmless) {
  const TemporaryFolder folder;
  write_small(folder / "a.h5", 8);
  const std::string bytes = read_file(folder / "a.h5");
  const auto path = folder / "cut.h5";
  for (std::size_t size = 1; size < bytes.size(); size += 61) {
    write_file(path, bytes.substr(0, size));
    expect_error(ExitCode::kBadData, {path.string()}, [&] { open_dataset(path, Options{}); });
  }
}

TEST(FileDataset, PlacesThatDoNotFitAreRefused) {
  const TemporaryFolder folder;
  const auto path = folder / "a.h5";
  const auto refused = [&](const char* encoding,
                           const char* key,
                           hsize_t index,
                           std::int64_t value,
                           std::initializer_list<std::string> fragments) {
    std::filesystem::remove(path);
    write_ragged(path, {.num_samples = 6, .encoding = encoding});
    set_element(path, key, index, value);
    expect_error(ExitCode::kBadData, fragments, [&] { open_dataset(path, Options{}); });
  };
  refused("raw", "image_offset", 3, 1 << 20, {"\"image_offset\"", "rise"});
  refused("raw", "image_offset", 0, 1, {"\"image_offset\"", "rise"});
  refused("raw", "image_offset", 6, 5, {"\"image_offset\"", "rise"});
  refused("raw", "image_offset", 2, 60, {"\"image_size\"", "sample 1", "bytes"});
  refused("jpeg", "image_offset", 2, 7, {"\"image_size\"", "sample 1", "2 bytes"});
}

TEST(FileDataset, StoredBytesOfOneSizeArePixels) {
  const TemporaryFolder folder;
  write_small(folder / "a.h5", 3);
  const auto dataset = open_dataset(folder / "a.h5", Options{});
  EXPECT_TRUE(dataset->info().uniform());
  EXPECT_EQ(dataset->stored_bytes(1), 256);
  EXPECT_EQ(dataset->image_size(1), (ImageSize{16, 16}));
  EXPECT_EQ(stored_of(*dataset, 1), pixels_of(*dataset, 1));
  write_ragged(folder / "b.h5", {});
  const auto ragged = open_dataset(folder / "b.h5", Options{});
  std::vector<std::byte> none;
  expect_error(
      ExitCode::kInternal, {"not plain pixels"}, [&] { ragged->read_pixels(0, none, false); });
}

TEST(FileDataset, FileThatShrinksLaterIsAnError) {
  const TemporaryFolder folder;
  const auto path = folder / "a.h5";
  write_small(path, 8);
  const auto dataset = open_dataset(path, Options{});
  std::filesystem::resize_file(path, 100);
  expect_error(ExitCode::kIo, {path.string(), "too early"}, [&] { pixels_of(*dataset, 7); });
}

}  // namespace
}  // namespace lockstep::data
