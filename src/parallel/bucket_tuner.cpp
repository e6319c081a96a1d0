#include <lockstep/base/clock.h>
#include <lockstep/base/error.h>
#include <lockstep/parallel/bucket_tuner.h>

#include <algorithm>
#include <array>
#include <limits>

namespace lockstep::parallel {
namespace {

constexpr std::array<std::int64_t, 5> kFactors = {1, 4, 16, 64, 256};
// The first round warms up memory and does not count.
constexpr int kRounds = 4;

bool cut_alike(const BucketPlan& a, const BucketPlan& b) {
  return std::ranges::equal(a.buckets, b.buckets, {}, &Bucket::end, &Bucket::end);
}

double timed(comm::World& world, const std::function<void()>& step) {
  comm::barrier(world.control());
  const Stopwatch watch;
  step();
  std::array<double, 1> slowest{watch.elapsed_s()};
  comm::all_reduce(world.control(), slowest, comm::ReduceOp::kMax);
  return slowest[0];
}

}  // namespace

std::vector<BucketTrial> plan_trials(const BucketPlan& finest, std::int64_t finest_bytes) {
  std::vector<BucketTrial> trials;
  for (const std::int64_t factor : kFactors) {
    BucketTrial trial{factor * finest_bytes, merge_buckets(finest, factor * finest_bytes), 0};
    if (trials.empty() || !cut_alike(trials.back().plan, trial.plan)) {
      trials.push_back(std::move(trial));
    }
  }
  return trials;
}

std::size_t tune_buckets(comm::World& world,
                         Reducer& reducer,
                         std::vector<BucketTrial>& trials,
                         const std::function<void()>& step) {
  LOCKSTEP_CHECK(!trials.empty(), "there is a plan to try");
  for (BucketTrial& trial : trials) trial.seconds = std::numeric_limits<double>::max();
  for (int round = 0; trials.size() > 1 && round < kRounds; ++round) {
    for (BucketTrial& trial : trials) {
      reducer.recut(trial.plan);
      const double seconds = timed(world, step);
      if (round > 0) trial.seconds = std::min(trial.seconds, seconds);
    }
  }
  const auto best = std::ranges::min_element(trials, {}, &BucketTrial::seconds);
  reducer.recut(best->plan);
  reducer.take_counters();
  return static_cast<std::size_t>(best - trials.begin());
}

}  // namespace lockstep::parallel
