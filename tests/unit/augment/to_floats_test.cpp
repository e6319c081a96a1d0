// One sample at a time gives what the feeder gives, from several threads too.
#include <lockstep/augment/to_floats.h>
#include <lockstep/base/random.h>

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace lockstep::augment {
namespace {

constexpr std::int64_t kBatch = 12;
constexpr std::size_t kSource = 24 * 30 * 3;
constexpr std::size_t kResult = 16 * 20 * 3;

FeederOptions some_options() {
  FeederOptions options;
  options.mean = {0.5, 0.25, 0.125};
  options.std = {0.5, 0.2, 0.1};
  options.seed = 3;
  options.size = {16, 20};
  options.augment.flip = true;
  options.augment.shift_pixels = 2;
  options.augment.random_crop = true;
  options.augment.contrast = 0.4;
  options.augment.randaugment_ops = 2;
  options.augment.erase_probability = 0.5;
  options.augment.erase_fill = "noise";
  return options;
}

TEST(ToFloats, GivesWhatTheFeederGives) {
  PhiloxStream random(1, 2);
  std::vector<std::uint8_t> pixels(kBatch * kSource);
  for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(random.below(256));
  std::vector<std::int64_t> ids(kBatch);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>(5 * i);
  ids.back() = -1;
  const std::vector<std::int64_t> labels(kBatch);
  const std::vector<float> weights(kBatch, 1);
  data::Batch batch;
  batch.epoch = 2;
  batch.batch = kBatch;
  batch.height = 24;
  batch.width = 30;
  batch.channels = 3;
  batch.pixels = pixels;
  batch.labels = labels;
  batch.sample_ids = ids;
  batch.weights = weights;
  const auto feeder = make_feeder(gpu::host_backend(), at::Device(at::kCPU), some_options());
  const DeviceBatch fed = feeder->feed(batch);
  std::vector<float> floats(kBatch * kResult, -99);
  const data::ToFloats pass = make_to_floats(some_options(), {24, 30}, 3);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < kBatch; i += 3) {
        pass(std::span(pixels).subspan(i * kSource, kSource),
             2,
             ids[i],
             std::span(floats).subspan(i * kResult, kResult));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const float* const want = fed.images.const_data_ptr<float>();
  EXPECT_TRUE(std::equal(floats.begin(), floats.end(), want));
  // A batch that comes as floats is taken over as it is.
  batch.pixels = {};
  batch.floats = floats;
  const DeviceBatch taken = feeder->feed(batch);
  EXPECT_TRUE(std::equal(floats.begin(), floats.end(), taken.images.const_data_ptr<float>()));
}

}  // namespace
}  // namespace lockstep::augment
