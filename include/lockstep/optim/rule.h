// The element rules of the update, by number: host and device index their kernels by it. Included
// by .cu files: no more than this.
#pragma once

#include <cstdint>

namespace lockstep::optim {

enum class Rule : std::int32_t { kAdamw, kAdam, kSgd, kMomentum, kLion, kAdan };

}  // namespace lockstep::optim
