// Which gradients are reduced together. Pure: depends only on sizes and on the order in which
// backward produced them in a probe that all ranks agreed on.
#pragma once

#include <cstdint>
#include <vector>

#include <lockstep/optim/arena.h>

namespace lockstep::parallel {

struct Bucket {
  std::int64_t begin = 0;  // elements of the arena
  std::int64_t end = 0;
  std::vector<std::int64_t> parameters;  // indices into the caller's parameter order
};

struct BucketPlan {
  optim::Layout layout;
  std::vector<Bucket> buckets;  // in the order in which they are issued
};

struct PlanOptions {
  std::int64_t bucket_bytes = 4 << 20;
  std::int64_t first_bucket_bytes = 256 << 10;  // small, so that communication starts early
  std::int64_t group_size = 1;                  // each bucket is padded to group_size x 128 bytes
};

// `counts` are elements by parameter; `backward_order` is a permutation of their indices. Buckets
// are contiguous ranges in backward order; the stats slots close the last one. Parameters that the
// probe did not reach (unused) come last.
BucketPlan plan_buckets(const std::vector<std::int64_t>& counts,
                        const std::vector<std::int64_t>& backward_order,
                        const PlanOptions& options);

}  // namespace lockstep::parallel
