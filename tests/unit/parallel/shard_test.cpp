#include <lockstep/base/error.h>
#include <lockstep/base/random.h>
#include <lockstep/parallel/shard.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace lockstep::parallel {
namespace {

BucketPlan random_plan(PhiloxStream& random, std::int64_t num_ranks) {
  std::vector<std::int64_t> counts(1 + random.below(30));
  for (auto& count : counts) count = static_cast<std::int64_t>(1 + random.below(3000));
  std::vector<std::int64_t> order(counts.size());
  std::iota(order.begin(), order.end(), 0);
  PlanOptions options;
  options.bucket_bytes = static_cast<std::int64_t>(1 + random.below(20000));
  options.first_bucket_bytes = options.bucket_bytes;
  options.group_size = num_ranks;
  return plan_buckets(counts, order, options);
}

TEST(PlanShard, RanksOwnEqualAlignedPartsOfEveryBucketAndTogetherAllOfIt) {
  PhiloxStream random(8, 0);
  for (int round = 0; round < 500; ++round) {
    const auto num_ranks = static_cast<int>(1 + random.below(9));
    const BucketPlan plan = random_plan(random, num_ranks);
    for (std::size_t b = 0; b < plan.buckets.size(); ++b) {
      std::int64_t next = plan.buckets[b].begin;
      const std::int64_t slice = (gradients_end(plan, b) - next) / num_ranks;
      for (int rank = 0; rank < num_ranks; ++rank) {
        const auto owned = plan_shard(plan, rank, num_ranks);
        ASSERT_EQ(owned.size(), plan.buckets.size());
        ASSERT_EQ(owned[b].begin, next) << "no gap, no overlap, in rank order";
        ASSERT_EQ(owned[b].end - owned[b].begin, slice);
        ASSERT_EQ(owned[b].begin % optim::kAlignElements, 0);
        next = owned[b].end;
      }
      ASSERT_EQ(next, gradients_end(plan, b));
    }
    ASSERT_LE(plan.gradients_end, plan.layout.stats_offset) << "nobody owns the stats slots";
  }
}

TEST(PlanShard, RefusesAPlanForAnotherNumberOfRanks) {
  const BucketPlan plan = plan_buckets({32}, {0}, {});
  EXPECT_NO_THROW(plan_shard(plan, 0, 1));
  EXPECT_THROW(plan_shard(plan, 0, 3), Error);
  EXPECT_THROW(plan_shard(plan, 1, 1), Error);
}

}  // namespace
}  // namespace lockstep::parallel
