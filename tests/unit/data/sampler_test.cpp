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
  Sampler a(options_of(500, 10, 1, 1));
  Sampler b(options_of(500, 10, 1, 1));
  EXPECT_EQ(epoch_of(a, 1), epoch_of(b, 1));
  const auto first = epoch_of(a, 1);
  EXPECT_NE(first, epoch_of(a, 2));
  EXPECT_EQ(first, epoch_of(a, 1));
  auto other = options_of(500, 10, 1, 1);
  other.seed = 4;
  Sampler c(other);
  EXPECT_NE(first, epoch_of(c, 1));
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
