#include "text.h"

#include <lockstep/base/format.h>
#include <lockstep/config/command_line.h>

namespace lockstep::config {
namespace {

constexpr std::size_t kHelpColumn = 6;
constexpr std::size_t kWidestChoices = 50;  // longer lists go into the text below

std::string flag_help(const std::string& name, const std::string& value, const std::string& help) {
  return format("  --{}{}{}\n", name, value.empty() ? "" : " ", value) + wrapped(help, kHelpColumn);
}

std::string choices_of(const Option& option) {
  std::string text;
  for (const std::string& choice : option.choices) text += (text.empty() ? "" : "|") + choice;
  return text;
}

std::string form(const Option& option) {
  if (!option.choices.empty()) {
    const std::string text = choices_of(option);
    return text.size() > kWidestChoices ? " NAME" : " " + text;
  }
  if (option.type == "boolean") return "";
  if (option.type == "integer") return " N";
  return option.type == "text" ? " TEXT" : " X";
}

std::string setting_help(const Option& option) {
  const std::string choices = choices_of(option);
  const std::string below =
      choices.size() > kWidestChoices ? format("{}. {}", choices, option.help) : option.help;
  const std::string standard = option.default_text.empty() ? "empty" : option.default_text;
  return format("  --{}{}  (default {}{}{})\n",
                option.name(),
                form(option),
                standard,
                option.unit.empty() ? "" : " ",
                option.unit) +
         wrapped(below, kHelpColumn);
}

}  // namespace

std::string help_text(const Command& command) {
  std::string text = format("{}\n\nusage: lockstep {}\n\n", command.summary, command.usage);
  for (const Flag& flag : command.flags) text += flag_help(flag.name, flag.value_name, flag.help);
  text += flag_help(
      "config", "FILE.ini", "Settings file; may be given again, the later file then wins.");
  text += flag_help("help", "", "This text.");
  text +=
      "\nSettings: default < file ([section] key = value) < environment LOCKSTEP_SECTION_KEY <\n"
      "command line. Booleans: --x, --x=false, --no-x.\n";
  Settings settings;
  const OptionTable table = make_table(settings);
  std::string section;
  for (const Option& option : table.options()) {
    if (option.section != section) text += "\n[" + option.section + "]\n";
    section = option.section;
    text += setting_help(option);
  }
  return text;
}

}  // namespace lockstep::config
