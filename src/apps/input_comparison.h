// Two ways of reading the same file in turn, and what the better one saves. Prints a table and
// gives the figures as JSON; knows nothing of how either reads.
#pragma once

#include "input_side.h"

#include <cstdint>
#include <string>

namespace lockstep::apps {

struct ComparisonPlan {
  std::string ours;  // names for the table
  std::string other;
  std::int64_t blocks = 7;   // of each side
  std::int64_t batches = 0;  // a block; 0: about what the other side reads in a second
  double compute_s = -1;     // of a device, a batch; below 0: what the other side needs to read one
  bool cold = false;
};

// Input alone, then with a device that computes while the training thread sleeps, so that only the
// ways of reading differ. Rank 0 prints. Returns an object: {"with", "batches_per_block",
// "input_alone": {"before": {…}, "after": {…}, "epoch_reduction_percent", …}, "with_device": {…}}.
// Collective.
std::string compare_inputs(comm::World& world,
                           InputSide& other,
                           InputSide& ours,
                           const ComparisonPlan& plan);

}  // namespace lockstep::apps
