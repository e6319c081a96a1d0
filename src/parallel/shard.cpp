#include <lockstep/base/error.h>
#include <lockstep/parallel/shard.h>

namespace lockstep::parallel {

std::vector<optim::Range> plan_shard(const BucketPlan& plan, int rank, int num_ranks) {
  LOCKSTEP_CHECK(rank >= 0 && rank < num_ranks, "a shard belongs to one of the ranks");
  std::vector<optim::Range> owned;
  for (std::size_t b = 0; b < plan.buckets.size(); ++b) {
    const std::int64_t begin = plan.buckets[b].begin;
    const std::int64_t count = gradients_end(plan, b) - begin;
    LOCKSTEP_CHECK(count % (num_ranks * optim::kAlignElements) == 0,
                   "the plan was made for groups of this size");
    const std::int64_t slice = count / num_ranks;
    owned.push_back({begin + rank * slice, begin + (rank + 1) * slice});
  }
  return owned;
}

optim::Shard make_shard(comm::World& world,
                        comm::Group& group,
                        const optim::Arena& arena,
                        const BucketPlan& plan) {
  return {plan_shard(plan, group.rank(), group.size()),
          &group,
          optim::collective_zeros(world, group.size(), at::kDouble, arena.device())};
}

}  // namespace lockstep::parallel
