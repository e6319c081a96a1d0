// Gradients of a rank's micro-batches, summed in a fixed binary tree: with reductions that go on in
// the same tree over ranks, sums do not depend on how blocks are spread over ranks.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace lockstep::train {

// Memory: log2 of the number of blocks times the gradients, at most.
class TreeSum {
 public:
  // `gradients` is what backward adds to; it stays the caller's.
  explicit TreeSum(at::Tensor gradients) : gradients_(std::move(gradients)) {}

  void restart() { num_blocks_ = 0; }
  // Takes what backward of one block left in the gradients: the gradients are then zero, after the
  // last one the sum of all. Requires: the number of blocks up to the last is a power of two.
  void fold(bool last);

 private:
  at::Tensor gradients_;            // (total) fp32
  std::vector<at::Tensor> levels_;  // level k holds the sum of 2^k blocks, or nothing
  std::uint64_t num_blocks_ = 0;    // folded since restart()
};

}  // namespace lockstep::train
