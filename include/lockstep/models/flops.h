// Work of a model, for rates and utilisation in reports.
#pragma once

#include <lockstep/models/options.h>

namespace lockstep::models {

// Floating-point operations of one image's forward pass, two for each multiply-add of a matrix
// product (norms, softmax and activations are left out); backward takes twice as many.
// Requires: validate(options) passed.
double vit_flops(const Options& options);

}  // namespace lockstep::models
