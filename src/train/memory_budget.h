// memory.recompute = budget: what to recompute, and how small a micro-batch, for the most images a
// second within memory.limit_mib. Everything is measured on the model itself.
#pragma once

#include "session.h"

#include <lockstep/models/recompute_plan.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lockstep::train {

// A way to recompute, with the fewest parts of a loaded batch that keep the limit.
struct MemoryChoice {
  models::RecomputePlan plan;
  std::int64_t parts = 0;       // 0: not even one image fits
  std::int64_t peak_bytes = 0;  // predicted; of one image when it does not fit
  double images_per_s = 0;      // of a rank, forward and backward; 0: not measured
};

// The ways that are tried for a model of `depth` blocks, the plain one first.
std::vector<models::RecomputePlan> candidate_plans(std::int64_t depth);

// The fastest of those that fit; of equals the first. Index; -1: none fits.
std::int64_t fastest(std::span<const MemoryChoice> choices);

// One line a choice, the fastest marked.
std::string frontier_text(std::span<const MemoryChoice> choices, std::int64_t batch_per_rank);

// Sets the model's plan and `session.parts`, alike on all ranks, and says on rank 0 what was tried.
// Does nothing unless memory.recompute = budget.
// Collective. Throws: AgreedError(kConfig) when one image does not fit, with what it needs.
void choose_within_budget(Job& job, Session& session);

}  // namespace lockstep::train
