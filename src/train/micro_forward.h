// Forward and loss of one micro-batch, as every pass over training images does them.
#pragma once

#include <lockstep/augment/feeder.h>
#include <lockstep/models/classification.h>
#include <lockstep/models/vit.h>
#include <lockstep/train/settings.h>

namespace lockstep::train {

// Part `part` of `parts` equal ones.
augment::DeviceBatch part_of(const augment::DeviceBatch& inputs,
                             std::int64_t part,
                             std::int64_t parts);

// (B, num_classes), under the autocast that precision.compute asks for.
at::Tensor forward_model(models::Vit& model,
                         const Settings& settings,
                         const augment::DeviceBatch& inputs,
                         std::int64_t step);

// Of the logits; mixed where the inputs are.
models::ClassificationLoss loss_of(const Settings& settings,
                                   const at::Tensor& logits,
                                   const augment::DeviceBatch& inputs,
                                   double num_real_global);

}  // namespace lockstep::train
