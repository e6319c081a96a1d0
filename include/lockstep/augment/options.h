// Settings of the augment module: of images with a label, and of images with boxes.
#pragma once

#include <lockstep/base/option.h>
#include <lockstep/data/detection_plan.h>
#include <lockstep/data/transform_plan.h>

namespace lockstep::augment {

using Options = data::AugmentOptions;
using DetectionOptions = data::DetectionOptions;

void bind_options(OptionTable& table, Options& options);
void bind_options(OptionTable& table, DetectionOptions& options);
// Throws: Error(kConfig).
void validate(const Options& options);
void validate(const DetectionOptions& options);

}  // namespace lockstep::augment
