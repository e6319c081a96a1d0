// What the host's and the device's AdamW own alike: the moments, the block of scalars, and their
// names for a resume.
#pragma once

#include "update_block.h"

#include <lockstep/optim/optimizer.h>

#include <vector>

namespace lockstep::optim {

struct AdamwState {
  AdamwState(Arena& arena, const Options& options, const PrecisionOptions& precision);

  std::vector<NamedParameter> named() const;
  // Index of the first element after [.., end) that belongs to the norm: the stats slots do not.
  std::int64_t norm_end(std::int64_t end) const;

  Arena& arena;
  UpdateSettings settings;
  std::vector<Segment> segments;
  at::Tensor first;       // (total) fp32, exponential average of gradients
  at::Tensor second;      // (total) fp32, of their squares
  at::Tensor block;       // (sizeof(UpdateBlock)) u8 on the device
  at::Tensor loss_scale;  // () fp32, a view into the block
};

}  // namespace lockstep::optim
