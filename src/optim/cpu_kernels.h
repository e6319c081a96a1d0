// The two passes of the host's update over plain arrays, compiled for several vector widths; the
// processor in use picks. Knows no LibTorch.
#pragma once

#include "rules.h"

#include <cstdint>

namespace lockstep::optim {

// Sum of squares in double, in an order that does not depend on the vector width.
double sum_of_squares(const float* values, std::int64_t count);

// A run of elements with equal factors.
struct PassArguments {
  const UpdateSettings& settings;
  const UpdateBlock& block;
  GroupFactors group;
  float* parameters;
  float* gradients;
  float* slots[kMaxSlots];  // as many as the rule has
  std::int64_t count;
};

// The rule on each element; gradients become zero. Without fused multiply-add, so that every
// processor computes the same bits and replicas on unlike machines stay equal.
void update_pass(Rule rule, const PassArguments& arguments);

}  // namespace lockstep::optim
