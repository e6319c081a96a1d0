// A report of one or many runs as text for people and as JSON for programs. docs/reports.md holds
// the schema of the JSON.
#pragma once

#include <lockstep/report/figures.h>
#include <lockstep/report/run.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::report {

// Raised when a key changes its meaning or leaves; keys that are added do not raise it.
inline constexpr std::int64_t kReportSchema = 1;

struct ReportedRun {
  RunData run;
  RunFigures figures;
};

// Aligned columns, units, at most about 100 characters wide; ends with a newline.
std::string render_text(const std::vector<ReportedRun>& runs);

// One object; a figure that cannot be had is null. Ends with a newline.
std::string render_json(const std::vector<ReportedRun>& runs);

}  // namespace lockstep::report
