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
  float* average;           // of the parameters; nullptr: there is none
  std::int64_t count;
};

// Clipping by value, the rule and the average on each element; gradients become zero. Without fused
// multiply-add, so that every processor computes the same bits and replicas on unlike machines stay
// equal.
void update_pass(Rule rule, const PassArguments& arguments);

// Rows whose gradients are treated as a whole (rows.h), before the pass over them.
struct RowArguments {
  const float* parameters;  // (rows, length)
  float* gradients;         // (rows, length)
  std::int64_t rows;
  std::int64_t length;
  float grad_factor;
  float clip;
  bool centralise;
};
void row_pass(const RowArguments& arguments);

}  // namespace lockstep::optim
