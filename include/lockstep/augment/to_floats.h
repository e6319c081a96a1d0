// The host pass over pixels for one sample at a time, so that a loader's reader threads can do it
// while the pixels are still in their cache.
#pragma once

#include <lockstep/augment/feeder.h>
#include <lockstep/data/loader.h>

namespace lockstep::augment {

// What a Feeder on the host makes of each sample but for the mixing, which is the feeder's, for
// LoaderOptions::to_floats. Pixels are of `size`; `geometry_applied` as in data::Batch. Results are
// of options.size, or of `size` where that is zero.
data::ToFloats make_to_floats(const FeederOptions& options,
                              data::ImageSize size,
                              std::int64_t channels,
                              bool geometry_applied = false);

}  // namespace lockstep::augment
