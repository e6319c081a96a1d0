// Ranks of a host share one cache: what one of them read, the others find, byte for byte.
#include "support/test_world.h"

#include <lockstep/data/loader.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <vector>

namespace lockstep::data {
namespace {

using test::world;

class CountedDataset final : public Dataset {
 public:
  CountedDataset() {
    info_.num_samples = 60;
    info_.height = info_.width = 8;
    info_.channels = 1;
  }
  const DatasetInfo& info() const override { return info_; }
  void read_pixels(std::int64_t index, std::span<std::byte> out, bool) const override {
    ++reads;
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<std::byte>(static_cast<std::size_t>(3 * index) + i);
    }
  }
  std::int64_t label(std::int64_t) const override { return 0; }
  std::int64_t sample_id(std::int64_t index) const override { return index; }
  mutable std::atomic<std::int64_t> reads{0};

 private:
  DatasetInfo info_;
};

LoaderOptions options_of(const Dataset& dataset) {
  LoaderOptions options;
  options.sampler.num_samples = dataset.info().num_samples;
  options.sampler.batch_per_rank = 5;
  options.sampler.num_ranks = world().size();
  options.rank = world().rank();
  options.threads = 2;
  options.num_epochs = 3;
  return options;
}

std::vector<std::uint8_t> all_pixels(const Dataset& dataset, const LoaderOptions& options) {
  std::vector<std::uint8_t> pixels;
  const auto loader = make_loader(dataset, gpu::host_backend(), options);
  while (const Batch* batch = loader->next()) {
    pixels.insert(pixels.end(), batch->pixels.begin(), batch->pixels.end());
    // Epochs begin together, so that a sample is in the cache before another rank wants it.
    if (batch->step_in_epoch == 0) comm::barrier(world().control());
    loader->release(batch, nullptr);
  }
  return pixels;
}

TEST(SharedCache, OneRankReadsForAll) {
  const CountedDataset dataset;
  LoaderOptions options = options_of(dataset);
  const auto expected = all_pixels(dataset, options);
  dataset.reads = 0;
  const auto memory = world().allocate_shared(64 * 1024);
  options.cache = {static_cast<std::byte*>(memory->data()), memory->size_bytes()};
  EXPECT_EQ(all_pixels(dataset, options), expected);
  std::vector<std::int64_t> reads{dataset.reads};
  comm::all_reduce(world().control(), reads, comm::ReduceOp::kSum);
  // Readers run ahead into the second epoch: a few samples may be read by two ranks at once.
  EXPECT_GE(reads[0], 60);
  EXPECT_LT(reads[0], 60 * 2);
}

}  // namespace
}  // namespace lockstep::data
