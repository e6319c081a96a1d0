#include "effect.h"
#include "sources.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/config/command_line.h>

#include <algorithm>

namespace lockstep::config {
namespace {

void apply(const Assignment& assignment, const OptionTable& table, std::vector<Origin>& origins) {
  const auto& options = table.options();
  const auto found = std::ranges::find_if(
      options, [&](const Option& option) { return option.name() == assignment.origin.name; });
  LOCKSTEP_CHECK(found != options.end(), "an assignment names no setting");
  // A value must fit into one line of config.resolved.ini.
  if (std::ranges::any_of(assignment.value, [](unsigned char c) { return c < ' ' && c != '\t'; })) {
    throw config_error(format("{} holds a line break or control character ({})",
                              assignment.origin.name,
                              assignment.origin.where));
  }
  try {
    found->set(assignment.value);
  } catch (const Error& error) {
    throw Error(error.code(), format("{} ({})", error.what(), assignment.origin.where));
  }
  origins[static_cast<std::size_t>(found - options.begin())] = assignment.origin;
}

void check_resume(const CommandLine& line) {
  const auto resume = line.flags.find("resume");
  if (resume == line.flags.end() || resume->second == "none") return;
  throw usage_error(format(
      "--resume {} is not in this version: leave it out, or write --resume none", resume->second));
}

}  // namespace

const Command& train_command() {
  static const Command command{
      "train",
      "train --config FILE.ini [--section.key VALUE ...] [--dry-run]",
      "Train a model on an HDF5 data set; under mpirun or srun on all ranks, else on one.",
      {{"dry-run", "", "Check settings and data, read one batch, print the plan, train nothing."},
       {"resume",
        "none",
        "Where to start. none: at step 0, in a run directory that is new or empty. Others are not "
        "in this version."}},
      0,
      true,
      true};
  return command;
}

CommandLine parse(const Command& command, Arguments arguments, const Environment& environment) {
  CommandLine line;
  const OptionTable table = make_table(line.settings);
  for (const Option& option : table.options()) line.origins.push_back({option.name()});
  ReadArguments given = read_arguments(command, arguments, table);
  line.help = given.help;
  if (line.help) return line;
  line.flags = std::move(given.flags);
  line.positional = std::move(given.positional);
  line.dry_run = line.has("dry-run");
  check_resume(line);
  for (const std::string& file : given.config_files) {
    for (const Assignment& each : read_ini(file, table)) apply(each, table, line.origins);
  }
  for (const Assignment& each : read_environment(environment, table)) {
    apply(each, table, line.origins);
  }
  for (const Assignment& each : given.assignments) apply(each, table, line.origins);
  validate(line.settings);
  if (command.needs_data && line.settings.data.train.empty()) {
    throw config_error(
        "data.train is empty: name an HDF5 data set (`lockstep prepare --help` says how to make "
        "one)");
  }
  if (command.trains) line.warnings = find_warnings(line.settings, table, line.origins);
  return line;
}

CommandLine parse(Arguments arguments, const Environment& environment) {
  return parse(train_command(), arguments, environment);
}

std::string suggest_key(const OptionTable& table, std::string_view name) {
  const std::string_view key = name.substr(name.rfind('.') + 1);
  std::string same_key;
  for (const Option& option : table.options()) {
    if (option.key != key) continue;
    if (!same_key.empty()) return {};
    same_key = option.name();
  }
  return same_key;
}

std::string suggest(const OptionTable& table, std::string_view name) {
  const std::string same_key = suggest_key(table, name);
  return same_key.empty() ? table.nearest(name) : same_key;
}

}  // namespace lockstep::config
