// Brings the ranks of a run to the same steps, so that figures may compare them step by step.
#pragma once

#include <lockstep/report/run.h>

namespace lockstep::report {

// Keeps the steps that every rank has and whose numbers can be used on every rank; what goes
// becomes a note. Throws: Error(kBadData) naming the folder when nothing is left.
void align_steps(RunData& run);

}  // namespace lockstep::report
