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
      "which costs least and holds one tensor of the MLP's hidden width less).");
}

void validate(const MemoryOptions& options, std::int64_t depth) {
  models::check_recompute(models::parse_recompute(options.recompute), depth);
}

}  // namespace lockstep::train
