#include <lockstep/base/format.h>
#include <lockstep/config/settings.h>

#include <map>

namespace lockstep::config {
namespace {

constexpr const char* kIntroduction = R"(# Configuration

This page is made from the option table by `lockstep config list --markdown`; a test compares it.

## Where a value comes from

| place | form | wins over |
|---|---|---|
| built-in default | the tables below | |
| file, `--config FILE.ini`, may be given again | `[section]`, `key = value` | default, earlier files |
| environment | `LOCKSTEP_SECTION_KEY=value` | files |
| command line | `--section.key value` or `--section.key=value` | environment; the last one wins |

- Booleans on the command line: `--section.key`, `--section.key=false`, `--no-section.key`.
- In a file, `#` begins a comment at the start of a line or after a blank; a value in double quotes
  is taken as it stands between them. A key stands once in a file.
- An unknown name is an error that suggests the nearest one, never ignored: exit code 64 on the
  command line, 78 in a file or in the environment. A value that cannot be used is 78.
- `lockstep config show` prints every value with its origin, `config check` only checks, `config
  list` names all settings. A run writes the values in force to `config.resolved.ini`, which can be
  given to `--config` again.
- Settings that are given but have no effect are warned of at the start of `lockstep train`.
)";

const std::map<std::string, std::string>& section_titles() {
  static const std::map<std::string, std::string> titles{
      {"run", "the run as a whole"},
      {"data", "what is read, and how"},
      {"augment", "what is done to training images"},
      {"detection", "what is done to images with boxes"},
      {"model", "the network"},
      {"train", "the make-up of a step"},
      {"memory", "what a rank holds, and what is made again"},
      {"optim", "the update"},
      {"schedule", "the course of the learning rate"},
      {"precision", "number formats"},
      {"comm", "reduction between ranks"},
      {"parallel", "ranks as replicas"},
      {"telemetry", "what is logged"},
      {"eval", "evaluation"},
      {"weights", "where training starts from"}};
  return titles;
}

std::string row(const Option& option) {
  std::string type = option.type;
  if (!option.choices.empty()) {
    type.clear();
    for (const std::string& choice : option.choices) {
      type += (type.empty() ? "`" : ", `") + choice + "`";
    }
  }
  std::string help;
  for (const char c : option.help) {
    if (c == '|') help += '\\';
    help += c;
  }
  return format("| `{}` | {} | {} | {} | {} |\n",
                option.key,
                type,
                option.default_text.empty() ? "" : "`" + option.default_text + "`",
                option.unit,
                help);
}

}  // namespace

std::string markdown_reference() {
  Settings settings;
  const OptionTable table = make_table(settings);
  std::string text = kIntroduction;
  std::string section;
  for (const Option& option : table.options()) {
    if (option.section != section) {
      section = option.section;
      const auto title = section_titles().find(section);
      text += format(
          "\n## [{}]{}\n\n| key | value | default | unit | meaning |\n|---|---|---|---|---|\n",
          section,
          title == section_titles().end() ? "" : ": " + title->second);
    }
    text += row(option);
  }
  return text;
}

}  // namespace lockstep::config
