#include <lockstep/base/error.h>
#include <lockstep/base/random.h>
#include <lockstep/parallel/bucket_plan.h>

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

namespace lockstep::parallel {
namespace {

constexpr std::int64_t kStats = optim::kNumStats;

std::vector<std::int64_t> random_order(std::size_t count, PhiloxStream& random) {
  std::vector<std::int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

// Everything that a plan promises, whatever went in.
void check_plan(const std::vector<std::int64_t>& counts,
                const std::vector<std::int64_t>& order,
                const PlanOptions& options,
                const BucketPlan& plan) {
  const std::int64_t unit = options.group_size * 32;  // 128 bytes a rank
  std::vector<std::int64_t> placed;
  std::int64_t begin = 0;
  std::int64_t free_from = 0;
  for (std::size_t b = 0; b < plan.buckets.size(); ++b) {
    const Bucket& bucket = plan.buckets[b];
    ASSERT_EQ(bucket.begin, begin) << "no gap and no overlap";
    ASSERT_EQ((bucket.end - bucket.begin) % unit, 0);
    ASSERT_FALSE(bucket.parameters.empty());
    free_from = bucket.begin;
    for (const std::int64_t p : bucket.parameters) {
      const std::int64_t offset = plan.layout.offset[static_cast<std::size_t>(p)];
      ASSERT_GE(offset, free_from) << "in backward order, without overlap";
      ASSERT_LT(offset - free_from, optim::kAlignElements);
      ASSERT_EQ(offset % optim::kAlignElements, 0);
      free_from = offset + counts[static_cast<std::size_t>(p)];
      placed.push_back(p);
    }
    ASSERT_LE(free_from, bucket.end);
    const std::int64_t limit = b == 0 ? options.first_bucket_bytes : options.bucket_bytes;
    if (bucket.parameters.size() > 1) {
      ASSERT_LE((free_from - bucket.begin) * 4, limit);
    }
    begin = bucket.end;
  }
  ASSERT_EQ(placed, order) << "every parameter once, in the order of backward";
  ASSERT_EQ(plan.layout.total, begin);
  ASSERT_EQ(plan.layout.stats_offset, plan.layout.total - kStats);
  ASSERT_LE(free_from, plan.gradients_end);
  ASSERT_EQ((plan.gradients_end - plan.buckets.back().begin) % unit, 0);
  ASSERT_LE(plan.gradients_end, plan.layout.stats_offset) << "the stats slots lie apart";
  ASSERT_EQ(gradients_end(plan, plan.buckets.size() - 1), plan.gradients_end);
  ASSERT_EQ(gradients_end(plan, 0),
            plan.buckets.size() == 1 ? plan.gradients_end : plan.buckets[0].end);
}

TEST(BucketPlan, HoldsItsPromisesForRandomSizes) {
  PhiloxStream random(3, 0);
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::int64_t> counts(1 + random.below(40));
    const std::uint64_t largest = 1 + random.below(20000);
    for (auto& count : counts) count = static_cast<std::int64_t>(1 + random.below(largest));
    PlanOptions options;
    options.bucket_bytes = static_cast<std::int64_t>(1 + random.below(200000));
    options.first_bucket_bytes = static_cast<std::int64_t>(1 + random.below(50000));
    options.group_size = static_cast<std::int64_t>(1 + random.below(9));
    const std::vector<std::int64_t> order = random_order(counts.size(), random);
    check_plan(counts, order, options, plan_buckets(counts, order, options));
    if (HasFatalFailure()) FAIL() << "round " << round;
  }
}

TEST(BucketPlan, FillsBucketsToTheirLimitAndTheFirstOneLess) {
  const std::vector<std::int64_t> counts(10, 1024);  // 4 KiB each
  std::vector<std::int64_t> order = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
  PlanOptions options;
  options.first_bucket_bytes = 4 << 10;
  options.bucket_bytes = 16 << 10;
  const BucketPlan plan = plan_buckets(counts, order, options);
  ASSERT_EQ(plan.buckets.size(), 4U);
  EXPECT_THAT(plan.buckets[0].parameters, testing::ElementsAre(9));
  EXPECT_THAT(plan.buckets[1].parameters, testing::ElementsAre(8, 7, 6, 5));
  EXPECT_THAT(plan.buckets[2].parameters, testing::ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(plan.buckets[3].parameters, testing::ElementsAre(0));
}

// The same memory in fewer, larger pieces, each still a whole number of slices.
TEST(BucketPlan, MergesNeighboursUpToTheLimitAndLeavesTheFirst) {
  PhiloxStream random(5, 0);
  for (int round = 0; round < 1000; ++round) {
    std::vector<std::int64_t> counts(1 + random.below(40));
    for (auto& count : counts) count = static_cast<std::int64_t>(1 + random.below(5000));
    PlanOptions options;
    options.bucket_bytes = options.first_bucket_bytes = 1 << 10;
    options.group_size = static_cast<std::int64_t>(1 + random.below(5));
    const std::vector<std::int64_t> order = random_order(counts.size(), random);
    const BucketPlan finest = plan_buckets(counts, order, options);
    options.bucket_bytes = static_cast<std::int64_t>(1 + random.below(100000));
    const BucketPlan merged = merge_buckets(finest, options.bucket_bytes);
    EXPECT_EQ(merged.layout.offset, finest.layout.offset);
    EXPECT_EQ(merged.gradients_end, finest.gradients_end);
    EXPECT_EQ(merged.buckets.front().end, finest.buckets.front().end);
    std::vector<std::int64_t> placed;
    std::int64_t begin = 0;
    for (std::size_t b = 0; b < merged.buckets.size(); ++b) {
      const Bucket& bucket = merged.buckets[b];
      ASSERT_EQ(bucket.begin, begin);
      ASSERT_EQ((gradients_end(merged, b) - bucket.begin) % (options.group_size * 32), 0);
      placed.insert(placed.end(), bucket.parameters.begin(), bucket.parameters.end());
      begin = bucket.end;
      if (b < 2) continue;
      // Neighbours that would have fitted together were merged.
      ASSERT_GT((gradients_end(merged, b) - merged.buckets[b - 1].begin) * 4, options.bucket_bytes);
    }
    ASSERT_EQ(begin, finest.layout.total);
    ASSERT_EQ(placed, order);
  }
}

TEST(BucketPlan, ALargeParameterHasABucketOfItsOwn) {
  PlanOptions options;
  options.first_bucket_bytes = 100;
  options.bucket_bytes = 400;
  const BucketPlan plan = plan_buckets({10, 5000, 10}, {0, 1, 2}, options);
  ASSERT_EQ(plan.buckets.size(), 3U);
  EXPECT_THAT(plan.buckets[1].parameters, testing::ElementsAre(1));
}

TEST(BucketPlan, DependsOnNothingButItsInputs) {
  PhiloxStream random(4, 0);
  const std::vector<std::int64_t> order = random_order(20, random);
  const std::vector<std::int64_t> counts(20, 777);
  const BucketPlan a = plan_buckets(counts, order, {});
  const BucketPlan b = plan_buckets(counts, order, {});
  EXPECT_EQ(a.layout.offset, b.layout.offset);
  EXPECT_EQ(a.buckets.size(), b.buckets.size());
}

TEST(BucketPlan, RefusesWhatIsNoPermutation) {
  EXPECT_THROW(plan_buckets({1, 2}, {0, 0}, {}), Error);
  EXPECT_THROW(plan_buckets({1, 2}, {0, 2}, {}), Error);
  EXPECT_THROW(plan_buckets({1, 2}, {0}, {}), Error);
  EXPECT_THROW(plan_buckets({}, {}, {}), Error);
}

}  // namespace
}  // namespace lockstep::parallel
