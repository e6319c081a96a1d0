// Which elements of the arena a rank updates when optimizer state is spread over ranks (ZeRO
// stage 1): of each bucket an equal slice, as reduce-scatter leaves it.
#pragma once

#include <lockstep/comm/world.h>
#include <lockstep/optim/arena.h>
#include <lockstep/optim/shard.h>
#include <lockstep/parallel/bucket_plan.h>

#include <vector>

namespace lockstep::parallel {

// One range a bucket, in plan order: slice `rank` of `num_ranks` equal ones of its gradients. Pure.
// Requires: a plan for groups of `num_ranks`.
std::vector<optim::Range> plan_shard(const BucketPlan& plan, int rank, int num_ranks);

// The shard of this rank of `group`, which must outlive it. Collective.
optim::Shard make_shard(comm::World& world,
                        comm::Group& group,
                        const optim::Arena& arena,
                        const BucketPlan& plan);

}  // namespace lockstep::parallel
