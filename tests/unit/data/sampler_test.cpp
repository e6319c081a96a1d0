// Every sample once an epoch, equal steps, an order that does not know the number of ranks.
#include "data_fixture.h"

#include <lockstep/base/random.h>
#include <lockstep/data/sampler.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace lockstep::data {
namespace {

SamplerOptions options_of(std::int64_t samples,
                          std::int64_t batch,
                          std::int64_t ranks,
                          std::int64_t accumulate) {
  SamplerOptions options;
  options.num_samples = samples;
  options.batch_per_rank = batch;
  options.num_ranks = ranks;
  options.accumulate = accumulate;
  options.seed = 3;
  return options;
}

// The blocks of a step in order are the same for every split over ranks and micro-batches.
TEST(Sampler, NeighbouringBlocksStayWithARank) {
  for (const auto& [ranks, accumulate] : {std::pair(1, 4), std::pair(2, 2), std::pair(4, 1)}) {
    SamplerOptions options;
    options.num_samples = 8;
    options.batch_per_rank = 2;
    options.num_ranks = ranks;
    options.accumulate = accumulate;
    options.shuffle = false;
    options.neighbouring_blocks = true;
    Sampler sampler(options);
    sampler.begin_epoch(0);
    std::int64_t expected = 0;
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      for (std::int64_t micro = 0; micro < accumulate; ++micro) {
        for (const std::int64_t index : sampler.micro_batch(0, micro, rank)) {
          EXPECT_EQ(index, expected++) << ranks << " ranks";
        }
      }
    }
  }
}

// What all ranks see of an epoch, step by step in the order (micro, rank, position).
std::vector<std::int64_t> epoch_of(Sampler& sampler, std::int64_t epoch) {
  sampler.begin_epoch(epoch);
  std::vector<std::int64_t> seen;
  for (std::int64_t step = 0; step < sampler.steps_per_epoch(); ++step) {
    std::int64_t real = 0;
    for (std::int64_t micro = 0; micro < sampler.options().accumulate; ++micro) {
      for (std::int64_t rank = 0; rank < sampler.options().num_ranks; ++rank) {
        for (const std::int64_t index : sampler.micro_batch(step, micro, rank)) {
          seen.push_back(index);
          real += index >= 0 ? 1 : 0;
        }
      }
    }
    EXPECT_EQ(real, sampler.num_real(step));
  }
  return seen;
}

// The first eight places of the order, by the plainest code for it.
std::vector<std::int64_t> plain_shuffle(std::size_t count,
                                        std::uint64_t seed,
                                        std::uint64_t epoch) {
  std::vector<std::int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  PhiloxStream random(seed, (0x53414D50ULL << 32) ^ epoch);
  for (std::size_t left = count; left > 1; --left) {
    std::swap(order[left - 1], order[random.below(left)]);
  }
  order.resize(8);
  return order;
}

TEST(Sampler, EverySampleOnceForRandomShapes) {
  PhiloxStream random(11, 0);
  for (int round = 0; round < 200; ++round) {
    auto options = options_of(0,
                              1 + static_cast<std::int64_t>(random.below(9)),
                              1 + static_cast<std::int64_t>(random.below(5)),
                              1 + static_cast<std::int64_t>(random.below(4)));
    options.num_samples = options.num_ranks + static_cast<std::int64_t>(random.below(300));
    options.drop_last = random.below(2) == 1;
    options.shuffle = random.below(4) != 0;
    options.chunk_samples = 1 + static_cast<std::int64_t>(random.below(20));
    options.window_chunks = 1 + static_cast<std::int64_t>(random.below(5));
    const std::int64_t step = options.batch_per_rank * options.num_ranks * options.accumulate;
    if (options.drop_last && step > options.num_samples) continue;
    Sampler sampler(options);
    std::vector<std::int64_t> seen = epoch_of(sampler, round);
    ASSERT_EQ(std::ssize(seen), sampler.steps_per_epoch() * step);
    std::erase(seen, -1);
    const std::int64_t expected =
        options.drop_last ? options.num_samples / step * step : options.num_samples;
    ASSERT_EQ(std::ssize(seen), expected);
    ASSERT_EQ(std::ssize(std::set(seen.begin(), seen.end())), expected);
    ASSERT_GE(*std::min_element(seen.begin(), seen.end()), 0);
    ASSERT_LT(*std::max_element(seen.begin(), seen.end()), options.num_samples);
  }
}

TEST(Sampler, GlobalOrderDoesNotDependOnRanks) {
  Sampler one(options_of(1000, 24, 1, 1));
  const std::vector<std::int64_t> expected = epoch_of(one, 5);
  for (const auto& [ranks, accumulate] : {std::pair{2, 1}, {3, 1}, {4, 1}, {2, 3}, {1, 4}}) {
    Sampler sampler(options_of(1000, 24 / (ranks * accumulate), ranks, accumulate));
    EXPECT_EQ(epoch_of(sampler, 5), expected) << ranks << " ranks, accumulate " << accumulate;
  }
}

TEST(Sampler, OrderIsAFunctionOfSeedAndEpoch) {
  for (const std::int64_t chunk : {1, 7}) {
    auto options = options_of(500, 10, 1, 1);
    options.chunk_samples = chunk;
    Sampler a(options);
    Sampler b(options);
    EXPECT_EQ(epoch_of(a, 1), epoch_of(b, 1));
    const auto first = epoch_of(a, 1);
    EXPECT_NE(first, epoch_of(a, 2));
    EXPECT_EQ(first, epoch_of(a, 1));
    options.seed = 4;
    Sampler c(options);
    EXPECT_NE(first, epoch_of(c, 1));
  }
}

// Losses of a configuration must not change from version to version.
TEST(Sampler, UniformOrderStaysWhatItWas) {
  Sampler sampler(options_of(1000, 1000, 1, 1));
  const auto order = epoch_of(sampler, 2);
  const std::vector<std::int64_t> head(order.begin(), order.begin() + 8);
  EXPECT_EQ(head, plain_shuffle(1000, 3, 2));
}

TEST(Sampler, WindowOrderDoesNotDependOnRanks) {
  auto options = options_of(1000, 24, 1, 1);
  options.chunk_samples = 8;
  options.window_chunks = 4;
  Sampler one(options);
  const std::vector<std::int64_t> expected = epoch_of(one, 5);
  for (const auto& [ranks, accumulate] : {std::pair{2, 1}, {4, 1}, {2, 3}, {1, 4}}) {
    auto split = options;
    split.num_ranks = ranks;
    split.accumulate = accumulate;
    split.batch_per_rank = 24 / (ranks * accumulate);
    Sampler sampler(split);
    EXPECT_EQ(epoch_of(sampler, 5), expected) << ranks << " ranks, accumulate " << accumulate;
  }
}

TEST(Sampler, AWindowHoldsItsChunksAndNoOthers) {
  auto options = options_of(1003, 10, 1, 1);  // the last chunk holds three samples
  options.chunk_samples = 10;
  options.window_chunks = 4;
  Sampler sampler(options);
  sampler.begin_epoch(1);
  const auto order = sampler.order();
  std::set<std::int64_t> all;
  for (std::size_t begin = 0; begin < order.size();) {
    std::set<std::int64_t> chunks;
    std::int64_t samples = 0;
    // A window ends where all samples of its chunks were seen.
    std::size_t end = begin;
    do {
      const std::int64_t chunk = order[end++] / 10;
      if (chunks.insert(chunk).second) samples += chunk == 100 ? 3 : 10;
    } while (std::ssize(chunks) < 4 ? end < order.size()
                                    : static_cast<std::int64_t>(end - begin) < samples);
    EXPECT_LE(chunks.size(), 4U);
    EXPECT_EQ(static_cast<std::int64_t>(end - begin), samples);
    for (const std::int64_t chunk : chunks) EXPECT_TRUE(all.insert(chunk).second) << chunk;
    begin = end;
  }
  EXPECT_EQ(all.size(), 101U);
}

TEST(Sampler, QualityTellsAUniformShuffleFromWindows) {
  auto options = options_of(16'000, 64, 1, 1);
  Sampler uniform(options);
  uniform.begin_epoch(0);
  const ShuffleQuality best = measure_shuffle(uniform.order(), 16, 64);
  EXPECT_NEAR(best.displacement, 1, 0.03);
  EXPECT_NEAR(best.chunks_per_step, best.uniform_chunks_per_step, 0.5);
  options.chunk_samples = 16;
  Sampler windows(options);
  windows.begin_epoch(0);
  EXPECT_NEAR(windows.quality().displacement, 1, 0.1);
  EXPECT_NEAR(windows.quality().chunks_per_step, 15.7, 0.3);
  EXPECT_NEAR(windows.quality().uniform_chunks_per_step, 62.1, 0.3);
  options.shuffle = false;
  Sampler stored(options);
  stored.begin_epoch(0);
  EXPECT_EQ(stored.quality().displacement, 0);
  EXPECT_EQ(stored.quality().chunks_per_step, 4);
}

TEST(Sampler, AutoTakesWindowsWhereSamplesShareChunks) {
  Options options;
  const auto chosen = [&options](const std::string& order, std::int64_t samples_per_chunk) {
    options.order = order;
    options.window_chunks = 5;
    SamplerOptions sampler;
    choose_order(options, samples_per_chunk, sampler);
    EXPECT_EQ(sampler.window_chunks, 5);
    return sampler.uses_windows() ? "window" : sampler.shuffle ? "global" : "sequential";
  };
  EXPECT_STREQ(chosen("auto", 1), "global");
  EXPECT_STREQ(chosen("auto", 16), "window");
  EXPECT_STREQ(chosen("global", 16), "global");
  EXPECT_STREQ(chosen("window", 16), "window");
  EXPECT_STREQ(chosen("window", 1), "global");
  EXPECT_STREQ(chosen("sequential", 16), "sequential");
}

TEST(Sampler, ShuffleIsUniform) {
  // How often sample 0 lands in each third of the epoch: 600 draws, sigma about 11.5.
  std::vector<int> thirds(3);
  Sampler sampler(options_of(30, 30, 1, 1));
  for (std::int64_t epoch = 0; epoch < 600; ++epoch) {
    const auto order = epoch_of(sampler, epoch);
    const auto place = std::find(order.begin(), order.end(), 0) - order.begin();
    ++thirds[static_cast<std::size_t>(place / 10)];
  }
  for (const int count : thirds) EXPECT_NEAR(count, 200, 50);
}

TEST(Sampler, SequentialKeepsTheStoredOrderAndPadsTheEnd) {
  auto options = options_of(5, 2, 2, 1);
  options.shuffle = false;
  Sampler sampler(options);
  EXPECT_EQ(epoch_of(sampler, 0), (std::vector<std::int64_t>{0, 1, 2, 3, 4, -1, -1, -1}));
  EXPECT_EQ(sampler.num_real(1), 1);
  EXPECT_EQ(sampler.micro_batch(1, 0, 1), (std::vector<std::int64_t>{-1, -1}));
}

TEST(Sampler, ImpossibleShapesAreRefused) {
  expect_error(
      ExitCode::kConfig, {"4 ranks", "3 samples"}, [] { Sampler sampler(options_of(3, 1, 4, 1)); });
  expect_error(
      ExitCode::kConfig, {"train.batch_per_rank"}, [] { Sampler sampler(options_of(3, 0, 1, 1)); });
  expect_error(
      ExitCode::kConfig, {"train.accumulate"}, [] { Sampler sampler(options_of(3, 1, 1, 0)); });
  expect_error(
      ExitCode::kConfig, {"too large"}, [] { Sampler sampler(options_of(3, INT64_MAX, 2, 1)); });
  auto drop = options_of(10, 11, 1, 1);
  drop.drop_last = true;
  expect_error(ExitCode::kConfig, {"data.last_batch", "11"}, [&] { Sampler sampler(drop); });
}

}  // namespace
}  // namespace lockstep::data
