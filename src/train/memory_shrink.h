// The order in which a run that is out of memory gives up speed for room.
#pragma once

#include "session.h"

namespace lockstep::train {

// Cuts the loaded batches into the next larger number of equal parts; at single images, recomputes
// every block of a model of `depth` blocks. The same on all ranks that call it with the same
// session. False: there is nothing left to give up.
bool shrink(Session& session, std::int64_t depth);

}  // namespace lockstep::train
