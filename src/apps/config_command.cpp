// `lockstep config {show|list|check}`: settings without a run.
#include "commands.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/config/command_line.h>

#include <cstdio>

namespace lockstep::apps {
namespace {

using config::CommandLine;

const config::Command& command() {
  static const config::Command value{
      "config",
      "config {show|list|check} [--config FILE.ini ...] [--section.key VALUE ...]",
      "show: every value in force with its origin. list: every setting, its default and meaning. "
      "check: only whether the settings can be used.",
      {{"markdown", "", "list: as docs/configuration.md."}},
      1,
      true};
  return value;
}

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

// An INI file again: the origin stands in a comment.
std::string with_origins(CommandLine& line) {
  const OptionTable table = config::make_table(line.settings);
  std::string text;
  std::string section;
  for (std::size_t i = 0; i < table.options().size(); ++i) {
    const Option& option = table.options()[i];
    if (option.section != section) {
      text += format("{}[{}]\n", section.empty() ? "" : "\n", option.section);
      section = option.section;
    }
    const std::string setting = format("{} = {}", option.key, config::ini_value(option.get()));
    text += format("{:<48} # {}\n", setting, line.origins[i].where);
  }
  return text;
}

std::string list() {
  config::Settings settings;
  const OptionTable table = config::make_table(settings);
  std::string text;
  for (const Option& option : table.options()) {
    text += format("{:<30} {:<16} {:<12} {}\n",
                   option.name(),
                   option.type,
                   option.default_text.empty() ? "-" : option.default_text,
                   option.help);
  }
  return text;
}

void print_warnings(const CommandLine& line) {
  for (const std::string& warning : line.warnings) {
    const std::string text = "warning: " + warning + "\n";
    std::fwrite(text.data(), 1, text.size(), stderr);
  }
}

}  // namespace

int run_config(Arguments arguments) {
  CommandLine line = config::parse(command(), arguments, config::process_environment());
  if (line.help) {
    print(config::help_text(command()));
    return 0;
  }
  const std::string what = line.positional.empty() ? "" : line.positional.front();
  if (what == "list") {
    print(line.has("markdown") ? config::markdown_reference() : list());
  } else if (what == "show") {
    print(with_origins(line));
    print_warnings(line);
  } else if (what == "check") {
    print_warnings(line);
    print(line.warnings.empty() ? "settings can be used\n"
                                : format("settings can be used; {} {}\n",
                                         line.warnings.size(),
                                         line.warnings.size() == 1 ? "warning" : "warnings"));
  } else {
    const std::string near = nearest_name(what, {"show", "list", "check"});
    throw usage_error(
        format("lockstep config {}: write show, list or check{}",
               what.empty() ? "needs one word more" : "does not know \"" + what + "\"",
               what.empty() || near.empty() ? "" : format("; did you mean {}?", near)));
  }
  return 0;
}

}  // namespace lockstep::apps
