// A data set in memory and a backend of the host, for the tests of the loaders.
#pragma once

#include "data_fixture.h"

#include <lockstep/data/loader.h>
#include <lockstep/gpu/device.h>

#include <atomic>
#include <map>

namespace lockstep::data {

// Pixels of sample i are (i + position) & 255; some samples fail, verification is counted.
class MemoryDataset final : public Dataset {
 public:
  explicit MemoryDataset(std::int64_t num_samples) {
    info_.num_samples = num_samples;
    info_.height = info_.width = 4;
    info_.channels = 1;
    info_.classes.assign(7, "c");
  }
  const DatasetInfo& info() const override { return info_; }
  void read_pixels(std::int64_t index, std::span<std::byte> out, bool verify) const override {
    if (verify) ++verified;
    if (index == failing) throw data_error("sample " + std::to_string(index) + " is bad");
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<std::byte>(static_cast<std::size_t>(index) + i);
    }
  }
  std::int64_t label(std::int64_t index) const override { return index % 7; }
  std::int64_t sample_id(std::int64_t index) const override { return 1000 + index; }

  mutable std::atomic<std::int64_t> verified{0};
  std::int64_t failing = -1;

 private:
  DatasetInfo info_;
};

inline LoaderOptions loader_options(const Dataset& dataset, std::int64_t batch) {
  LoaderOptions options;
  options.sampler.num_samples = dataset.info().num_samples;
  options.sampler.batch_per_rank = batch;
  options.sampler.seed = 5;
  options.num_epochs = 2;
  return options;
}

// Every batch of all epochs against the sampler and direct reads.
inline void expect_same_as_direct_reads(const Dataset& dataset, const LoaderOptions& options) {
  const auto loader = make_loader(dataset, gpu::host_backend(), options);
  Sampler sampler(options.sampler);
  for (std::int64_t epoch = 0; epoch < options.num_epochs; ++epoch) {
    sampler.begin_epoch(epoch);
    for (std::int64_t step = 0; step < sampler.steps_per_epoch(); ++step) {
      for (std::int64_t micro = 0; micro < options.sampler.accumulate; ++micro) {
        const Batch* batch = loader->next();
        ASSERT_NE(batch, nullptr);
        ASSERT_EQ(batch->epoch, epoch);
        ASSERT_EQ(batch->step_in_epoch, step);
        ASSERT_EQ(batch->micro, micro);
        ASSERT_EQ(batch->num_real_global, sampler.num_real(step));
        const auto indices = sampler.micro_batch(step, micro, options.rank);
        std::int64_t real = 0;
        for (std::size_t i = 0; i < indices.size(); ++i) {
          const auto size = static_cast<std::size_t>(dataset.sample_bytes());
          const auto pixels = std::as_bytes(batch->pixels).subspan(i * size, size);
          const bool padded = indices[i] < 0;
          const auto expected =
              padded ? std::vector<std::byte>(size) : pixels_of(dataset, indices[i], false);
          ASSERT_TRUE(std::equal(pixels.begin(), pixels.end(), expected.begin(), expected.end()));
          ASSERT_EQ(batch->labels[i], padded ? 0 : dataset.label(indices[i]));
          ASSERT_EQ(batch->sample_ids[i], padded ? -1 : dataset.sample_id(indices[i]));
          ASSERT_EQ(batch->weights[i], padded ? 0.0F : 1.0F);
          real += padded ? 0 : 1;
        }
        ASSERT_EQ(batch->num_real, real);
        ASSERT_EQ(batch->bytes_read, real * dataset.sample_bytes());
        loader->release(batch, nullptr);
      }
    }
  }
  EXPECT_EQ(loader->next(), nullptr);
  EXPECT_EQ(loader->next(), nullptr);
}

}  // namespace lockstep::data
