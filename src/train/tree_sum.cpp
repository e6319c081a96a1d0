#include "tree_sum.h"

#include <lockstep/base/error.h>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>

#include <bit>

namespace lockstep::train {

void TreeSum::fold(bool last) {
  const at::NoGradGuard no_grad;
  // Carries, as in counting: each full level is to the left of what comes.
  std::size_t level = 0;
  for (; (num_blocks_ >> level & 1) != 0; ++level) gradients_.add_(levels_[level]);
  ++num_blocks_;
  if (last) {
    LOCKSTEP_CHECK(std::has_single_bit(num_blocks_), "a whole tree has 2^k blocks");
    return restart();
  }
  if (level == levels_.size()) levels_.push_back(at::empty_like(gradients_));
  levels_[level].copy_(gradients_);
  gradients_.zero_();
}

}  // namespace lockstep::train
