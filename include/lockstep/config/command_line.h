// From INI files, environment and command line to settings: default < file < environment < command
// line, the origin of every value kept.
#pragma once

#include <lockstep/config/settings.h>

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::config {

using Arguments = std::span<const std::string>;  // after the subcommand's name
using Environment = std::vector<std::pair<std::string, std::string>>;

// The environment of this process.
Environment process_environment();

enum class Source { kDefault, kFile, kEnvironment, kCommandLine };

// Where the value in force of a setting comes from.
struct Origin {
  std::string name;  // "optim.lr"
  Source source = Source::kDefault;
  std::string where = "default";  // "configs/x.ini:12", "LOCKSTEP_OPTIM_LR", "command line"
};

// An argument of one subcommand that is no setting, such as --json.
struct Flag {
  std::string name;        // without the dashes
  std::string value_name;  // empty: a switch
  std::string help;
};

// What a subcommand takes besides settings and --config and --help.
struct Command {
  std::string name;     // "train"
  std::string usage;    // what follows "lockstep"
  std::string summary;  // one line
  std::vector<Flag> flags;
  std::size_t max_positional = 0;
  bool trains = false;      // settings that have no effect on a training run are warned of
  bool needs_data = false;  // data.train must be given
};

// `lockstep train`: --dry-run and --resume.
const Command& train_command();

struct CommandLine {
  Settings settings;
  std::vector<Origin> origins;               // one a setting, in the order of the table
  std::vector<std::string> warnings;         // for the log of rank 0
  std::map<std::string, std::string> flags;  // those given; a switch holds "true"
  std::vector<std::string> positional;
  bool dry_run = false;
  bool help = false;  // then nothing else was read or checked

  bool has(const std::string& flag) const { return flags.contains(flag); }
};

// Throws: Error(kUsage) for a command line that cannot be understood (unknown setting or flag, with
// the nearest name; missing value; too many arguments; a part that is not in this version),
// Error(kConfig) for a file that is missing or malformed, an unknown setting in a file or in the
// environment, a value that cannot be used; Error(kIo) for a file that cannot be read.
CommandLine parse(const Command& command, Arguments arguments, const Environment& environment);
// As `lockstep train`.
CommandLine parse(Arguments arguments, const Environment& environment);

// --help of a subcommand: usage, flags, every setting by section.
std::string help_text(const Command& command);

}  // namespace lockstep::config
