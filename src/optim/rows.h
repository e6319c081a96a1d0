// Rows of the arena whose gradients are treated as a whole before the update: adaptive clipping and
// gradient centralisation.
#pragma once

#include <lockstep/optim/arena.h>
#include <lockstep/optim/options.h>

#include <cstdint>
#include <vector>

namespace lockstep::optim {

// The rows of one parameter: of a matrix or a filter bank one an output, of a vector the whole.
struct RowBlock {
  std::int64_t offset = 0;
  std::int64_t rows = 0;
  std::int64_t length = 0;
  float clip = 0;               // as optim.clip_agc; 0: none
  std::int32_t centralise = 0;  // 1: the mean goes
};

// Empty when no option asks for it.
std::vector<RowBlock> plan_rows(const Arena& arena, const Options& options);

}  // namespace lockstep::optim
