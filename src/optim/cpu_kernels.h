// The two passes of the host's update over plain arrays, compiled for several vector widths; the
// processor in use picks. Knows no LibTorch.
#pragma once

#include "update_block.h"

#include <cstdint>

namespace lockstep::optim {

// Sum of squares in double, in an order that does not depend on the vector width.
double sum_of_squares(const float* values, std::int64_t count);

// update_element on each element; gradients become zero. Without fused multiply-add, so that every
// processor computes the same bits and replicas on unlike machines stay equal.
void adamw_pass(const ElementFactors& factors,
                float* parameters,
                float* first,
                float* second,
                float* gradients,
                std::int64_t count);

}  // namespace lockstep::optim
