// The size of gradient buckets, chosen by measurement once before the first step.
#pragma once

#include <lockstep/comm/world.h>
#include <lockstep/parallel/bucket_plan.h>
#include <lockstep/parallel/reducer.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace lockstep::parallel {

struct BucketTrial {
  std::int64_t bucket_bytes = 0;
  BucketPlan plan;
  double seconds = 0;  // of a step, of the slowest rank, in the best of the rounds
};

// Coarser and coarser cuts of `finest`: buckets of 4, 16, 64 and 256 times `finest_bytes`, the
// finest itself first, without those that cut alike. Pure.
std::vector<BucketTrial> plan_trials(const BucketPlan& finest, std::int64_t finest_bytes);

// Times every trial with `step`, a whole step that ends when its gradients are there on this rank,
// in turns, and leaves the reducer with the fastest, whose index comes back: the same on all ranks.
// `step` throws alike on all ranks. Collective. Blocks.
std::size_t tune_buckets(comm::World& world,
                         Reducer& reducer,
                         std::vector<BucketTrial>& trials,
                         const std::function<void()>& step);

}  // namespace lockstep::parallel
