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

TEST(Inspect, ChunkedForeignFileGetsAdvice) {
  const TemporaryFolder folder;
  write_foreign(folder / "f.h5", {.chunked = true, .deflate = true, .fletcher = true});
  const Inspection found = inspect_dataset(folder / "f.h5", Options{});
  EXPECT_EQ(found.arrays[0].layout, "chunked");
  EXPECT_EQ(found.arrays[0].chunk, (std::vector<std::uint64_t>{2, 4, 5}));
  EXPECT_EQ(found.arrays[0].filters, (std::vector<std::string>{"deflate", "fletcher32"}));
  ASSERT_EQ(found.advice.size(), 2U);
  EXPECT_NE(found.advice[0].find("h5repack"), std::string::npos);
}

}  // namespace
}  // namespace lockstep::data
