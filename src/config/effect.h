// Settings that were given but change nothing, and choices that are known to be slow.
#pragma once

#include <lockstep/config/command_line.h>

#include <string>
#include <vector>

namespace lockstep::config {

// One line each, for a training run. Only values that differ from the default are spoken of, so
// that a resolved configuration warns of nothing new.
std::vector<std::string> find_warnings(const Settings& settings,
                                       const OptionTable& table,
                                       const std::vector<Origin>& origins);

}  // namespace lockstep::config
