// inspect_dataset: counts by class, storage of each data set, advice where there is something.
#include "data_fixture.h"

#include <lockstep/data/inspect.h>

#include <numeric>

namespace lockstep::data {
namespace {

TEST(Inspect, NativeFile) {
  const TemporaryFolder folder;
  write_small(folder / "c.h5", 30);
  const Inspection found = inspect_dataset(folder / "c.h5", Options{});
  ASSERT_EQ(found.arrays.size(), 4U);
  EXPECT_EQ(found.arrays[0].key, "images");
  EXPECT_EQ(found.arrays[0].shape_text(), "(30, 16, 16, 1)");
  EXPECT_EQ(found.arrays[0].layout, "contiguous");
  EXPECT_EQ(found.arrays[3].key, "sample_crc32c");
  EXPECT_EQ(found.arrays[3].type, "u32");
  const auto& counts = found.samples_per_class;
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}), 30);
  EXPECT_TRUE(found.advice.empty());
}

TEST(Inspect, DetectionFileCountsBoxes) {
  const TemporaryFolder folder;
  write_small(folder / "d.h5", 30, true);
  const Inspection found = inspect_dataset(folder / "d.h5", Options{});
  EXPECT_EQ(found.arrays.size(), 8U);
  const auto& counts = found.samples_per_class;
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}), found.num_boxes);
  EXPECT_GE(found.num_boxes, 30);
}

TEST(Inspect, ChunkedForeignFile) {
  const TemporaryFolder folder;
  write_foreign(folder / "f.h5", {.chunked = true, .deflate = true, .fletcher = true});
  const Inspection found = inspect_dataset(folder / "f.h5", Options{});
  EXPECT_EQ(found.arrays[0].layout, "chunked");
  EXPECT_EQ(found.arrays[0].chunk, (std::vector<std::uint64_t>{2, 4, 5}));
  EXPECT_EQ(found.arrays[0].filters, (std::vector<std::string>{"deflate", "fletcher32"}));
  EXPECT_GT(found.arrays[0].stored_bytes, 0U);
  EXPECT_EQ(found.arrays[0].library_only, "");
  EXPECT_EQ(found.samples_per_chunk, 2);
  ASSERT_EQ(found.advice.size(), 1U);
  EXPECT_NE(found.advice[0].find("checksums of chunks only"), std::string::npos);
}

TEST(Inspect, SeveralFilesAreTheSumOfEach) {
  const TemporaryFolder folder;
  import_samples(*make_synthetic(small_options(10)), {folder / "t.json", "", false, 3}, {}, {});
  const Inspection all = inspect_dataset(folder / "t.json", Options{});
  std::uint64_t stored = 0;
  for (const char* name : {"t-00000-of-00003.h5", "t-00001-of-00003.h5", "t-00002-of-00003.h5"}) {
    stored += inspect_dataset(folder / name, Options{}).arrays.front().stored_bytes;
  }
  EXPECT_EQ(all.arrays.front().shape[0], 10U);
  EXPECT_EQ(all.arrays.front().stored_bytes, stored);
}

TEST(Inspect, BoxesAreCounted) {
  const TemporaryFolder folder;
  write_small(folder / "d.h5", 30, true);
  const Inspection found = inspect_dataset(folder / "d.h5", Options{});
  const BoxStatistics& boxes = found.boxes;
  EXPECT_EQ(boxes.num_small + boxes.num_medium + boxes.num_large, found.num_boxes);
  EXPECT_EQ(boxes.num_bad, 0);
  EXPECT_EQ(boxes.num_images_without, 0);
  EXPECT_GE(boxes.most_in_an_image, 1);
  EXPECT_LE(boxes.most_in_an_image, 4);
}

TEST(Inspect, FilesWithOtherNamesAreListed) {
  const TemporaryFolder folder;
  const auto path = folder / "f.h5";
  write_foreign(path, {.chunked = true, .image_key = "train/x"});
  edit(path, [](hid_t file) {
    H5Lmove(file, "label", file, "train/y", H5P_DEFAULT, H5P_DEFAULT);
    const Hid type(H5Tvlen_create(H5T_NATIVE_INT), H5Tclose);
    const hsize_t count = 3;
    const Hid space(H5Screate_simple(1, &count, nullptr), H5Sclose);
    const Hid other(
        H5Dcreate2(file, "a", type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
        H5Dclose);
  });
  EXPECT_FALSE(holds_keys(path, Options{}));
  Options named;
  named.image_key = "train/x";
  named.label_key = "train/y";
  EXPECT_TRUE(holds_keys(path, named));
  const Listing listing = list_file(path);
  ASSERT_EQ(listing.arrays.size(), 3U);
  EXPECT_EQ(listing.image_key, "train/x");
  EXPECT_EQ(listing.label_key, "train/y");
  EXPECT_NE(listing.arrays[0].refused.find("variable-length"), std::string::npos);
  EXPECT_EQ(listing.arrays[1].info.layout, "chunked");
  EXPECT_EQ(listing.arrays[1].refused, "");
}

}  // namespace
}  // namespace lockstep::data
