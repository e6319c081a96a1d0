// The three places a value can be given in. Each turns text into assignments and refuses what it
// cannot understand; none of them sets a value.
#pragma once

#include <lockstep/config/command_line.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::config {

struct Assignment {
  Origin origin;
  std::string value;
};

// `[section]`, `key = value`, comments from # at the start of a line or after a blank. A value in
// double quotes is taken as it stands between them.
// Throws: Error(kConfig) naming file and line; Error(kIo).
std::vector<Assignment> read_ini(const std::filesystem::path& path, const OptionTable& table);

// Variables LOCKSTEP_SECTION_KEY; others named LOCKSTEP_… are left alone unless they begin with a
// section. Throws: Error(kConfig) naming the variable.
std::vector<Assignment> read_environment(const Environment& environment, const OptionTable& table);
std::string environment_name(const Option& option);

struct ReadArguments {
  std::vector<std::string> config_files;
  std::vector<Assignment> assignments;
  std::map<std::string, std::string> flags;
  std::vector<std::string> positional;
  bool help = false;
};

// Throws: Error(kUsage).
ReadArguments read_arguments(const Command& command, Arguments arguments, const OptionTable& table);

// The one setting with the same key in whatever section; empty when there is none or several.
std::string suggest_key(const OptionTable& table, std::string_view name);
// suggest_key, else the nearest name; empty when none is near.
std::string suggest(const OptionTable& table, std::string_view name);

}  // namespace lockstep::config
