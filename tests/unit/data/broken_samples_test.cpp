// Broken samples are replaced by the next readable one, alike for every number of threads and
// ranks.
#include "broken_samples.h"

#include "loader_fixture.h"

#include <map>

namespace lockstep::data {
namespace {

TEST(BrokenSamples, RemembersWhatWasAdded) {
  BrokenSamples broken;
  EXPECT_FALSE(broken.contains(4));
  broken.add(4, data_error("sample 4 is bad"));
  broken.add(4, data_error("sample 4 is bad"));
  EXPECT_TRUE(broken.contains(4));
  EXPECT_FALSE(broken.contains(5));
}

class PartlyBroken final : public Dataset {
 public:
  PartlyBroken(std::int64_t num_samples, std::set<std::int64_t> broken)
      : whole_(num_samples), broken_(std::move(broken)) {}
  const DatasetInfo& info() const override { return whole_.info(); }
  void read_pixels(std::int64_t index, std::span<std::byte> out, bool verify) const override {
    if (!verify) ++unverified;
    if (broken_.contains(index)) throw data_error("sample " + std::to_string(index) + " is bad");
    whole_.read_pixels(index, out, verify);
  }
  std::int64_t label(std::int64_t index) const override { return whole_.label(index); }
  std::int64_t sample_id(std::int64_t index) const override { return whole_.sample_id(index); }

  mutable std::atomic<int> unverified{0};

 private:
  MemoryDataset whole_;
  std::set<std::int64_t> broken_;
};

// How often each sample id comes in two epochs, over all ranks.
std::map<std::int64_t, int> counts_of(const Dataset& dataset,
                                      std::int64_t ranks,
                                      std::int64_t threads,
                                      std::int64_t* replaced) {
  std::map<std::int64_t, int> counts;
  for (std::int64_t rank = 0; rank < ranks; ++rank) {
    LoaderOptions options = loader_options(dataset, 12 / ranks);
    options.rank = rank;
    options.sampler.num_ranks = ranks;
    options.threads = threads;
    options.on_broken = "skip";
    const auto loader = make_loader(dataset, gpu::host_backend(), options);
    while (const Batch* batch = loader->next()) {
      std::int64_t real = 0;
      for (std::size_t i = 0; i < batch->weights.size(); ++i) {
        if (batch->weights[i] == 0) continue;
        ++counts[batch->sample_ids[i]];
        ++real;
        EXPECT_EQ(batch->labels[i], (batch->sample_ids[i] - 1000) % 7);
        EXPECT_EQ(batch->pixels[i * 16], (batch->sample_ids[i] - 1000) & 255);
      }
      EXPECT_EQ(batch->num_real, real);
      *replaced += batch->num_replaced;
      loader->release(batch, nullptr);
    }
  }
  return counts;
}

TEST(BrokenSamples, TheNextReadableSampleTakesThePlace) {
  const PartlyBroken dataset(40, {5, 17, 18, 39});
  for (const auto& [ranks, threads] : {std::pair{1, 1}, {1, 3}, {2, 1}, {4, 2}}) {
    std::int64_t replaced = 0;
    const auto counts = counts_of(dataset, ranks, threads, &replaced);
    EXPECT_EQ(replaced, 8) << ranks << " ranks";
    for (std::int64_t index = 0; index < 40; ++index) {
      // 6 for 5; 19 for 17 and 18; 0 for 39, the last one.
      const int expected = index == 5 || index == 17 || index == 18 || index == 39 ? 0
                           : index == 6 || index == 0                              ? 4
                           : index == 19                                           ? 6
                                                                                   : 2;
      const auto found = counts.find(1000 + index);
      EXPECT_EQ(found == counts.end() ? 0 : found->second, expected) << index;
    }
  }
  EXPECT_EQ(dataset.unverified, 0) << "what was replaced once must never pass unseen";
}

TEST(BrokenSamples, AFileWithoutAnyReadableSampleIsAnError) {
  const PartlyBroken dataset(3, {0, 1, 2});
  LoaderOptions options = loader_options(dataset, 3);
  options.on_broken = "skip";
  const auto loader = make_loader(dataset, gpu::host_backend(), options);
  expect_error(ExitCode::kBadData, {"none of the 3 samples"}, [&] { loader->next(); });
}

}  // namespace
}  // namespace lockstep::data
