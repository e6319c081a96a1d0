// What all ranks of a command must have alike before anything else: program, command and settings.
#pragma once

#include <lockstep/comm/world.h>
#include <lockstep/config/command_line.h>

#include <string>
#include <vector>

namespace lockstep::apps {

// Of `[section]` and `key = value` lines: section.key.
std::vector<comm::Fact> facts_of_ini(const std::string& text);

// Build, versions (`communication` is the running MPI's), command, flags and every setting.
std::vector<comm::Fact> agreed_facts(const std::string& communication,
                                     const config::Command& command,
                                     const config::CommandLine& line);

}  // namespace lockstep::apps
