#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/models/recompute_plan.h>
#include <lockstep/train/memory_options.h>

namespace lockstep::train {

void bind_options(OptionTable& table, MemoryOptions& options) {
  table.add(
      "memory",
      "recompute",
      options.recompute,
      "What of the blocks is forgotten after forward and made again in backward (gradient "
      "checkpointing); losses and weights stay the same bit for bit. none. every:K: groups of "
      "K blocks keep their input alone; every:1 holds least for most models and takes about a "
      "quarter more time. selective:PART[,PART]: parts of each block keep their input alone: "
      "attention (with its norm), mlp (with its norm), gelu (the activation function alone, "
      "which costs least and holds one tensor of the MLP's hidden width less). budget: chosen at "
      "the start, with the size of the micro-batches, for the most images a second within "
      "memory.limit_mib; what was tried is printed.");
  table.add(
      "memory",
      "limit_mib",
      options.limit_mib,
      "MiB",
      "The most that LibTorch's allocator may have handed out on a rank during a step: "
      "parameters, gradients, optimizer state and activations. What memory.recompute = budget "
      "chooses stays within. On the CPU an allocation beyond it is out of memory, as on a full "
      "device. 0: no limit.");
  table.add(
      "memory",
      "on_oom",
      options.on_oom,
      "What a run does when a rank runs out of memory in forward or backward. stop: all ranks "
      "end with exit code 71. shrink: all ranks drop the step's work, cut their micro-batches "
      "into smaller ones (at one image: recompute every block) and do the step again; sums are "
      "the same to rounding. shrink is for the CPU in this version.",
      {"stop", "shrink"});
}

void validate(const MemoryOptions& options, std::int64_t depth) {
  if (options.limit_mib < 0) {
    throw config_error(
        format("memory.limit_mib = {} is negative: write 0 for no limit", options.limit_mib));
  }
  if (options.recompute == kBudget) {
    if (options.limit_mib > 0) return;
    throw config_error("memory.recompute = budget needs a budget: set memory.limit_mib");
  }
  models::check_recompute(models::parse_recompute(options.recompute), depth);
}

}  // namespace lockstep::train
