#include "memory_shrink.h"

namespace lockstep::train {

bool shrink(Session& session, std::int64_t depth) {
  const std::int64_t batch = session.plan.batch_per_rank;
  for (std::int64_t parts = session.parts + 1; parts <= batch; ++parts) {
    if (batch % parts != 0) continue;
    session.parts = parts;
    return true;
  }
  models::RecomputePlan most;
  if (depth > 1) {
    most.every = 1;
  } else {
    most.attention = most.mlp = true;
  }
  if (session.recompute == most) return false;
  session.set_recompute(most);
  return true;
}

}  // namespace lockstep::train
