// What an order costs: exact where it is exact, and near a simulation where it is a mean.
#include <lockstep/data/io_plan.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

namespace lockstep::data {
namespace {

Inspection file_of(std::uint64_t num_samples, std::uint64_t per_chunk, std::uint64_t stored_bytes) {
  Inspection file;
  ArrayInfo images;
  images.shape = {num_samples, 10, 10};
  images.size_bytes = num_samples * 100;
  images.layout = "chunked";
  images.chunk = {per_chunk, 10, 10};
  images.filters = {"deflate"};
  images.stored_bytes = stored_bytes;
  file.arrays = {images};
  file.info.num_samples = static_cast<std::int64_t>(num_samples);
  file.samples_per_chunk = static_cast<std::int64_t>(per_chunk);
  return file;
}

TEST(IoPlan, ContiguousIsOneReadASample) {
  Inspection file = file_of(1000, 1, 100000);
  file.arrays[0].layout = "contiguous";
  file.arrays[0].chunk.clear();
  file.arrays[0].filters.clear();
  const IoPlan plan = plan_io(file, {});
  EXPECT_EQ(plan.order, "global");
  EXPECT_EQ(plan.requests_per_sample, 1);
  EXPECT_EQ(plan.bytes_read_per_useful_byte, 1);
  EXPECT_EQ(plan.bytes_inflated_per_useful_byte, 0);
  EXPECT_TRUE(plan.one_read_a_sample());
}

TEST(IoPlan, WindowAndSequentialReadEachChunkOnce) {
  const Inspection file = file_of(1000, 10, 50000);
  for (const char* order : {"auto", "window", "sequential"}) {
    const IoPlan plan = plan_io(file, {order, 32, 0});
    EXPECT_DOUBLE_EQ(plan.requests_per_sample, 0.1);
    EXPECT_DOUBLE_EQ(plan.bytes_read_per_useful_byte, 0.5);
    EXPECT_DOUBLE_EQ(plan.bytes_inflated_per_useful_byte, 1);
    EXPECT_FALSE(plan.one_read_a_sample());
  }
  EXPECT_EQ(plan_io(file, {}).order, "window");
}

// What the library reads is kept like what is read here.
TEST(IoPlan, ChunksThatTheLibraryReadsAreReadOnceInWindows) {
  for (const std::uint64_t per_chunk : {10, 20000}) {
    Inspection file = file_of(200000, per_chunk, 10'000'000);
    file.arrays[0].library_only = "the filter \"nbit\"";
    const IoPlan plan = plan_io(file, {"window", 32, 0});
    EXPECT_TRUE(plan.through_library);
    EXPECT_FALSE(plan.one_read_a_sample());
    EXPECT_DOUBLE_EQ(plan.bytes_read_per_useful_byte, 0.5);
    EXPECT_GT(plan_io(file, {"global", 32, 0}).bytes_read_per_useful_byte, 4);
  }
}

TEST(IoPlan, GlobalIsNearASimulation) {
  constexpr int kSamples = 6400;
  constexpr int kPerChunk = 16;
  constexpr int kBatch = 64;
  std::vector<int> order(kSamples);
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  double loads = 0;
  for (int begin = 0; begin < kSamples; begin += kBatch) {
    std::set<int> chunks;
    for (int i = begin; i < begin + kBatch; ++i)
      chunks.insert(order[static_cast<std::size_t>(i)] / kPerChunk);
    loads += static_cast<double>(chunks.size());
  }
  const IoPlan plan = plan_io(file_of(kSamples, kPerChunk, kSamples * 100), {"global", kBatch, 0});
  EXPECT_NEAR(plan.requests_per_sample, loads / kSamples, 0.02);
  EXPECT_NEAR(plan.bytes_read_per_useful_byte, loads * kPerChunk / kSamples, 0.3);
}

TEST(IoPlan, ACacheThatHoldsEverythingReadsOnce) {
  const IoPlan plan = plan_io(file_of(1000, 10, 50000), {"global", 32, 1 << 20});
  EXPECT_DOUBLE_EQ(plan.bytes_read_per_useful_byte, 0.5);
}

TEST(IoPlan, CutSamplesNeedSeveralReads) {
  Inspection file = file_of(100, 1, 12000);
  file.arrays[0].chunk = {1, 6, 5};
  const IoPlan plan = plan_io(file, {"global", 32, 0});
  EXPECT_DOUBLE_EQ(plan.requests_per_sample, 4);
  EXPECT_DOUBLE_EQ(plan.bytes_read_per_useful_byte, 1.2);
  EXPECT_DOUBLE_EQ(plan.bytes_inflated_per_useful_byte, 1.2);
}

}  // namespace
}  // namespace lockstep::data
