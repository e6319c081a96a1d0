// Which rectangle of a training image is erased. A pure function of (seed, epoch, sample id).
#pragma once

#include "pixel_plan.h"

#include <lockstep/data/transform_plan.h>

#include <cstdint>

namespace lockstep::augment {

// Fills plan.erase_*. Random Erasing: Zhong et al., 2020; ten tries for a rectangle that fits.
void plan_erase(const data::AugmentOptions& options,
                std::uint64_t seed,
                std::int64_t epoch,
                std::int64_t sample_id,
                data::ImageSize size,
                SamplePlan& plan);

}  // namespace lockstep::augment
