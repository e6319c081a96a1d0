// What is shared is lent to the loader; one rank shares no chunks with anybody.
#include <lockstep/train/shared_input.h>

#include <gtest/gtest.h>

namespace lockstep::train {
namespace {

// Four samples a chunk.
class ChunkedDataset final : public data::Dataset {
 public:
  ChunkedDataset() {
    info_.num_samples = 64;
    info_.height = info_.width = info_.channels = 1;
  }
  const data::DatasetInfo& info() const override { return info_; }
  void read_pixels(std::int64_t, std::span<std::byte>, bool) const override {}
  std::int64_t label(std::int64_t) const override { return 0; }
  std::int64_t sample_id(std::int64_t index) const override { return index; }
  std::size_t shared_chunk_bytes(std::int64_t num_chunks) const override {
    return static_cast<std::size_t>(num_chunks) * 64;
  }

 private:
  data::DatasetInfo info_;
};

TEST(SharedInput, OneRankSharesSamplesAlone) {
  const auto world = comm::open_solo_world();
  const ChunkedDataset dataset;
  data::LoaderOptions loading;
  loading.sampler.num_samples = 64;
  loading.sampler.chunk_samples = 4;
  data::Options options;
  share_input(*world, dataset, options, loading).lend_to(loading);
  EXPECT_TRUE(loading.cache.empty());
  EXPECT_TRUE(loading.chunks.empty());
  options.cache_mib = 1;
  const SharedInput shared = share_input(*world, dataset, options, loading);
  shared.lend_to(loading);
  EXPECT_EQ(loading.cache.size(), data::cache_bytes(dataset, options));
  EXPECT_TRUE(loading.chunks.empty());
}

}  // namespace
}  // namespace lockstep::train
