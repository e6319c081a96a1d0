#include "rows.h"

namespace lockstep::optim {

std::vector<RowBlock> plan_rows(const Arena& arena, const Options& options) {
  std::vector<RowBlock> blocks;
  if (options.clip_agc == 0 && !options.centralize) return blocks;
  for (std::size_t i = 0; i < arena.named().size(); ++i) {
    const NamedParameter& parameter = arena.named()[i];
    const std::int64_t count = parameter.tensor.numel();
    if (count == 0) continue;
    RowBlock block;
    block.offset = arena.layout().offset[i];
    block.rows = parameter.tensor.dim() > 1 ? parameter.tensor.size(0) : 1;
    block.length = count / block.rows;
    // timm's training leaves the head out of adaptive clipping, as its paper does.
    const bool head = parameter.name.starts_with("head.");
    block.clip = head ? 0.0F : static_cast<float>(options.clip_agc);
    block.centralise = options.centralize && parameter.tensor.dim() > 1 ? 1 : 0;
    if (block.clip > 0 || block.centralise != 0) blocks.push_back(block);
  }
  return blocks;
}

}  // namespace lockstep::optim
