// Reads inside a batch go through the file front to back, whatever the order of the batch.
#include "batch_filler.h"

#include "loader_fixture.h"

#include <algorithm>
#include <mutex>

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

// Keeps the chunks it is told to, the least recently used thrown away, and counts what it inflates.
class ChunkedDataset final : public Dataset {
 public:
  explicit ChunkedDataset(std::int64_t num_samples) : whole_(num_samples) {}
  const DatasetInfo& info() const override { return whole_.info(); }
  void read_pixels(std::int64_t index, std::span<std::byte> out, bool verify) const override {
    {
      const std::lock_guard lock(mutex_);
      const std::int64_t chunk = index / kSamples;
      const auto kept = std::find(kept_.begin(), kept_.end(), chunk);
      if (kept != kept_.end()) {
        kept_.erase(kept);
      } else {
        ++inflated;
      }
      kept_.push_back(chunk);
      if (std::ssize(kept_) > capacity) kept_.erase(kept_.begin());
    }
    whole_.read_pixels(index, out, verify);
  }
  std::int64_t label(std::int64_t index) const override { return whole_.label(index); }
  std::int64_t sample_id(std::int64_t index) const override { return whole_.sample_id(index); }
  std::int64_t samples_per_chunk() const override { return kSamples; }
  void keep_chunks(std::int64_t num_chunks) const override { capacity = num_chunks; }

  static constexpr std::int64_t kSamples = 8;
  mutable std::int64_t inflated = 0;
  mutable std::int64_t capacity = 1;

 private:
  MemoryDataset whole_;
  mutable std::mutex mutex_;
  mutable std::vector<std::int64_t> kept_;
};

TEST(BatchFiller, WindowOrderInflatesEachChunkOnceAnEpoch) {
  for (const std::int64_t threads : {1, 2, 4}) {
    for (const std::int64_t ranks : {1, 2}) {
      const ChunkedDataset dataset(803);  // the last chunk holds three samples
      LoaderOptions options = loader_options(dataset, 16);
      Options settings;
      settings.window_chunks = 4;
      choose_order(settings, dataset.samples_per_chunk(), options.sampler);
      options.sampler.num_ranks = ranks;
      options.threads = threads;
      options.num_epochs = 1;
      const auto loader = make_loader(dataset, gpu::host_backend(), options);
      while (const Batch* batch = loader->next()) loader->release(batch, nullptr);
      EXPECT_LE(dataset.inflated, 101) << threads << " threads, " << ranks << " ranks";
      EXPECT_GE(dataset.inflated, ranks == 1 ? 101 : 90);
    }
  }
}

// Batches of one rank lie a step of all ranks apart: windows between them are not its own.
TEST(BatchFiller, KeptChunksDoNotGrowWithTheWorld) {
  const ChunkedDataset dataset(800000);
  LoaderOptions options = loader_options(dataset, 16);
  options.prefetch = 4;
  Options settings;
  settings.window_chunks = 4;
  choose_order(settings, dataset.samples_per_chunk(), options.sampler);
  options.sampler.num_ranks = 1000;
  const BatchFiller filler(dataset, gpu::host_backend(), options);
  EXPECT_EQ(dataset.capacity, 4 * 2 * 4);  // four slabs over a border each, four chunks a window
}

TEST(BatchFiller, GlobalOrderKeepsNoChunks) {
  const ChunkedDataset dataset(80);
  LoaderOptions options = loader_options(dataset, 16);
  const BatchFiller filler(dataset, gpu::host_backend(), options);
  EXPECT_EQ(dataset.capacity, 1);
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
