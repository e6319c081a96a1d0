#include <lockstep/base/error.h>
#include <lockstep/parallel/bucket_plan.h>

#include <utility>

namespace lockstep::parallel {
namespace {

constexpr std::int64_t kElementBytes = 4;

std::int64_t round_up(std::int64_t value, std::int64_t unit) {
  return (value + unit - 1) / unit * unit;
}

void check_order(const std::vector<std::int64_t>& counts, const std::vector<std::int64_t>& order) {
  LOCKSTEP_CHECK(!counts.empty(), "a plan needs at least one parameter");
  LOCKSTEP_CHECK(order.size() == counts.size(), "the order names every parameter");
  std::vector<bool> seen(counts.size(), false);
  for (const std::int64_t i : order) {
    const auto at = static_cast<std::size_t>(i);
    LOCKSTEP_CHECK(i >= 0 && at < seen.size() && !seen[at], "the order is a permutation");
    seen[at] = true;
  }
}

}  // namespace

BucketPlan plan_buckets(const std::vector<std::int64_t>& counts,
                        const std::vector<std::int64_t>& backward_order,
                        const PlanOptions& options) {
  check_order(counts, backward_order);
  LOCKSTEP_CHECK(options.group_size >= 1, "a group has at least one rank");
  const std::int64_t unit = options.group_size * optim::kAlignElements;
  BucketPlan plan;
  plan.layout.offset.resize(counts.size());
  Bucket open;
  std::int64_t cursor = 0;  // first free element
  for (const std::int64_t index : backward_order) {
    const auto parameter = static_cast<std::size_t>(index);
    const std::int64_t limit_bytes =
        plan.buckets.empty() ? options.first_bucket_bytes : options.bucket_bytes;
    const std::int64_t filled_bytes = (cursor + counts[parameter] - open.begin) * kElementBytes;
    if (!open.parameters.empty() && filled_bytes > limit_bytes) {
      open.end = round_up(cursor, unit);
      cursor = open.end;
      plan.buckets.push_back(std::exchange(open, Bucket{cursor, cursor, {}}));
    }
    plan.layout.offset[parameter] = cursor;
    open.parameters.push_back(index);
    cursor = round_up(cursor + counts[parameter], optim::kAlignElements);
  }
  plan.gradients_end = round_up(cursor, unit);
  open.end = plan.gradients_end + round_up(optim::kNumStats, unit);
  plan.layout.total = open.end;
  plan.layout.stats_offset = open.end - optim::kNumStats;
  plan.buckets.push_back(std::move(open));
  return plan;
}

BucketPlan merge_buckets(const BucketPlan& plan, std::int64_t bucket_bytes) {
  BucketPlan merged = plan;
  merged.buckets.clear();
  for (std::size_t b = 0; b < plan.buckets.size(); ++b) {
    const Bucket& bucket = plan.buckets[b];
    const bool after_first = merged.buckets.size() > 1;
    if (after_first) {
      Bucket& open = merged.buckets.back();
      if ((gradients_end(plan, b) - open.begin) * kElementBytes <= bucket_bytes) {
        open.end = bucket.end;
        open.parameters.insert(
            open.parameters.end(), bucket.parameters.begin(), bucket.parameters.end());
        continue;
      }
    }
    merged.buckets.push_back(bucket);
  }
  return merged;
}

std::int64_t gradients_end(const BucketPlan& plan, std::size_t bucket) {
  return bucket + 1 == plan.buckets.size() ? plan.gradients_end : plan.buckets[bucket].end;
}

}  // namespace lockstep::parallel
