// Which gradients are reduced together. Pure: depends only on sizes and on the order in which
// backward produced them in a probe that all ranks agreed on.
#pragma once

#include <lockstep/optim/arena.h>

#include <cstdint>
#include <vector>

namespace lockstep::parallel {

struct Bucket {
  std::int64_t begin = 0;  // elements of the arena
  std::int64_t end = 0;
  std::vector<std::int64_t> parameters;  // indices into the caller's parameter order
};

struct BucketPlan {
  optim::Layout layout;
  std::vector<Bucket> buckets;  // in the order in which they are issued
  // Of the last bucket's gradients; the stats slots lie behind in group_size x 128 bytes of their
  // own, so that the gradients of every bucket split evenly over the ranks.
  std::int64_t gradients_end = 0;
};

struct PlanOptions {
  std::int64_t bucket_bytes = 4 << 20;
  std::int64_t first_bucket_bytes = 256 << 10;  // small, so that communication starts early
  std::int64_t group_size = 1;                  // each bucket is padded to group_size x 128 bytes
};

// `counts` are elements by parameter; `backward_order` is a permutation of their indices, those
// that the probe did not reach (unused) last. Buckets are contiguous ranges in that order; together
// they cover the arena without gaps; a parameter larger than the limit has a bucket of its own; the
// stats slots close the last one.
BucketPlan plan_buckets(const std::vector<std::int64_t>& counts,
                        const std::vector<std::int64_t>& backward_order,
                        const PlanOptions& options);

// The same layout cut coarser: neighbouring buckets become one while their gradients stay within
// `bucket_bytes`; the first stays as it is. Pure.
BucketPlan merge_buckets(const BucketPlan& plan, std::int64_t bucket_bytes);

// Without the stats slots: buckets[bucket].end, of the last one gradients_end.
std::int64_t gradients_end(const BucketPlan& plan, std::size_t bucket);

}  // namespace lockstep::parallel
