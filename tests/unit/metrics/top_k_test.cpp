#include <lockstep/base/error.h>
#include <lockstep/base/random.h>
#include <lockstep/metrics/top_k.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace lockstep::metrics {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

TopKCounts count_one(std::vector<float> logits, std::int64_t label) {
  const std::vector<std::int64_t> labels{label};
  const std::vector<float> weights{1};
  const auto num_classes = static_cast<std::int64_t>(logits.size());
  return count_top_k(logits, num_classes, labels, weights);
}

TEST(CountTopK, CountsWithinOneAndFive) {
  const std::vector<float> logits{0, 1, 2, 3, 4, 5, 6};
  EXPECT_EQ(count_one(logits, 6), (TopKCounts{1, 1, 1}));
  EXPECT_EQ(count_one(logits, 5), (TopKCounts{0, 1, 1}));
  EXPECT_EQ(count_one(logits, 2), (TopKCounts{0, 1, 1}));
  EXPECT_EQ(count_one(logits, 1), (TopKCounts{0, 0, 1}));
}

TEST(CountTopK, OfEqualLogitsTheLowerClassStandsFirst) {
  const std::vector<float> constant(10, 0.5F);
  EXPECT_EQ(count_one(constant, 0), (TopKCounts{1, 1, 1}));
  EXPECT_EQ(count_one(constant, 1), (TopKCounts{0, 1, 1}));
  EXPECT_EQ(count_one(constant, 4), (TopKCounts{0, 1, 1}));
  EXPECT_EQ(count_one(constant, 5), (TopKCounts{0, 0, 1}));
}

TEST(CountTopK, FewerClassesThanFive) {
  EXPECT_EQ(count_one({3, 2, 1}, 2), (TopKCounts{0, 1, 1}));
  EXPECT_EQ(count_one({3}, 0), (TopKCounts{1, 1, 1}));
}

TEST(CountTopK, PaddingIsNotCountedAndItsLabelNotLookedAt) {
  const std::vector<float> logits{1, 0, 0, 1, 1, 0};
  const std::vector<std::int64_t> labels{0, 1, 999};
  const std::vector<float> weights{1, 1, 0};
  EXPECT_EQ(count_top_k(logits, 2, labels, weights), (TopKCounts{2, 2, 2}));
}

TEST(CountTopK, NaNNeverMakesALabelRight) {
  EXPECT_EQ(count_one({kNaN, 0, 0, 0, 0, 0}, 0), (TopKCounts{0, 0, 1}));
  EXPECT_EQ(count_one({0, kNaN, 9, 0, 0, 0}, 2), (TopKCounts{0, 1, 1}));
  EXPECT_EQ(count_one({9, kNaN, 0, 0, 0, 0}, 0), (TopKCounts{0, 1, 1}));
  EXPECT_EQ(count_one({kNaN, kNaN}, 1), (TopKCounts{0, 0, 1}));
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(count_one({0, infinity, -infinity}, 1), (TopKCounts{1, 1, 1}));
}

TEST(CountTopK, ALabelOutsideTheClassesIsNamed) {
  try {
    count_one({1, 2}, 2);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    EXPECT_THAT(error.what(), testing::HasSubstr("label 2, outside the 2 classes"));
  }
  EXPECT_THROW(count_one({1, 2}, -1), Error);
}

TEST(CountTopK, WrongShapesAreProgrammerErrors) {
  const std::vector<float> logits(7);
  const std::vector<std::int64_t> labels(2);
  const std::vector<float> weights(2, 1);
  EXPECT_THROW(count_top_k(logits, 3, labels, weights), Error);
  EXPECT_THROW(count_top_k({}, 0, {}, {}), Error);
}

TEST(CountTopK, EqualsAStableSortOnSeededLogits) {
  PhiloxStream random(7, 0);
  constexpr std::size_t kBatch = 200;
  constexpr std::size_t kClasses = 12;
  std::vector<float> logits(kBatch * kClasses);
  std::vector<std::int64_t> labels(kBatch);
  std::vector<float> weights(kBatch);
  for (float& logit : logits) logit = static_cast<float>(random.below(9));  // many ties
  for (std::int64_t& label : labels) label = static_cast<std::int64_t>(random.below(kClasses));
  for (float& weight : weights) weight = random.below(10) == 0 ? 0.0F : 1.0F;
  TopKCounts expected;
  for (std::size_t b = 0; b < kBatch; ++b) {
    if (weights[b] == 0) continue;
    std::vector<std::size_t> order(kClasses);
    std::iota(order.begin(), order.end(), 0);
    const float* row = &logits[b * kClasses];
    std::stable_sort(order.begin(), order.end(), [row](std::size_t x, std::size_t y) {
      return row[x] > row[y];
    });
    const auto at = std::find(order.begin(), order.end(), static_cast<std::size_t>(labels[b]));
    expected += {at - order.begin() < 1, at - order.begin() < 5, 1};
  }
  EXPECT_EQ(count_top_k(logits, kClasses, labels, weights), expected);
  EXPECT_GT(expected.correct1, 0);
}

TEST(TopKCounts, SharesAndSums) {
  TopKCounts counts{1, 3, 4};
  counts += {1, 1, 4};
  EXPECT_DOUBLE_EQ(counts.top1(), 0.25);
  EXPECT_DOUBLE_EQ(counts.top5(), 0.5);
  EXPECT_TRUE(std::isnan(TopKCounts{}.top1()));
}

}  // namespace
}  // namespace lockstep::metrics
