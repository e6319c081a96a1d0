// Reads inside a batch go through the file front to back, whatever the order of the batch.
#include "batch_filler.h"

#include "loader_fixture.h"

#include <algorithm>

namespace lockstep::data {
namespace {

class RecordingDataset final : public Dataset {
 public:
  RecordingDataset() {
    info_.num_samples = 64;
    info_.height = info_.width = info_.channels = 1;
  }
  const DatasetInfo& info() const override { return info_; }
  void read_pixels(std::int64_t index, std::span<std::byte> out, bool) const override {
    reads.push_back(index);
    out[0] = static_cast<std::byte>(index);
  }
  std::int64_t label(std::int64_t index) const override { return index; }
  std::int64_t sample_id(std::int64_t index) const override { return index; }
  mutable std::vector<std::int64_t> reads;

 private:
  DatasetInfo info_;
};

TEST(BatchFiller, ReadsAreSortedByPlace) {
  const RecordingDataset dataset;
  LoaderOptions options = loader_options(dataset, 32);
  BatchFiller filler(dataset, gpu::host_backend(), options);
  const auto slab = filler.make_slab(0);
  ASSERT_TRUE(filler.begin(*slab));
  filler.fill(*slab);
  EXPECT_FALSE(std::is_sorted(slab->indices.begin(), slab->indices.end()));
  EXPECT_TRUE(std::is_sorted(dataset.reads.begin(), dataset.reads.end()));
  for (std::size_t i = 0; i < 32; ++i) EXPECT_EQ(slab->batch.pixels[i], slab->indices[i]);
}

TEST(BatchFiller, EndsAfterItsEpochs) {
  const RecordingDataset dataset;
  LoaderOptions options = loader_options(dataset, 32);
  BatchFiller filler(dataset, gpu::host_backend(), options);
  const auto slab = filler.make_slab(0);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(filler.begin(*slab));
  EXPECT_FALSE(filler.begin(*slab));
}

}  // namespace
}  // namespace lockstep::data
