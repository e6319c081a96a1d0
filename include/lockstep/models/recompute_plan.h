// Which parts of a model's blocks run again in backward; a value, free of torch.
#pragma once

#include <cstdint>
#include <string>

namespace lockstep::models {

// Either groups of blocks or parts of each block. What backward begins with is kept in any case:
// its tensors are needed at once, so that forgetting them saves nothing at the peak.
struct RecomputePlan {
  std::int64_t every = 0;  // blocks of a group, from the first on; the last group is kept; 0: none
  bool attention = false;  // norm and attention of every block
  bool mlp = false;        // norm and MLP of every block but the last
  bool gelu = false;       // only the activation function of the MLP, of every block but the last

  bool parts() const { return attention || mlp || gelu; }
  bool operator==(const RecomputePlan&) const = default;
};

// none, every:K (K at least 1), selective:PART[,PART] with parts attention, mlp, gelu.
// Throws: Error(kConfig) that names memory.recompute.
RecomputePlan parse_recompute(const std::string& text);
// The text that parses to `plan`.
std::string recompute_text(const RecomputePlan& plan);
// Throws: Error(kConfig) when the groups leave nothing to recompute in a model of `depth` blocks.
void check_recompute(const RecomputePlan& plan, std::int64_t depth);

}  // namespace lockstep::models
