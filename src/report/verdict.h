// One line in words: what a run is bound by. docs/reports.md section 8.
#pragma once

#include <lockstep/report/figures.h>

#include <string>

namespace lockstep::report {

// "compute-bound", "input-bound 31 %", "comm-exposed 8 %, rank 3 slow by 12 %".
std::string make_verdict(const RunFigures& figures);

}  // namespace lockstep::report
