// Settings of the augment module.
#pragma once

#include <lockstep/base/option.h>
#include <lockstep/data/transform_plan.h>

namespace lockstep::augment {

using Options = data::AugmentOptions;

void bind_options(OptionTable& table, Options& options);
// Throws: Error(kConfig).
void validate(const Options& options);

}  // namespace lockstep::augment
