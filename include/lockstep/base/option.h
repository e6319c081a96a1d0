// One table of settings: name, type, default, unit, help and choices stand once, beside the field
// they fill. Parser, --help, environment names, docs/configuration.md and config.resolved.ini are
// all made from it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

// One setting: `[section] key` in a file, `--section.key` on the command line,
// LOCKSTEP_SECTION_KEY in the environment.
struct Option {
  std::string section;
  std::string key;
  std::string
      type;  // "integer", "number", "number or auto", "text", "boolean", "list of numbers", …
  std::string default_text;                     // the field's value when the option was added
  std::string unit;                             // empty when it has none
  std::string help;                             // meaning, cost, interaction; one or two sentences
  std::vector<std::string> choices;             // empty: anything of the type
  std::function<void(const std::string&)> set;  // Throws: Error(kConfig) naming section.key
  std::function<std::string()> get;

  std::string name() const { return section + "." + key; }
};

class OptionTable {
 public:
  // Binds a field, which must outlive the table. The default is what the field holds now. The
  // returned reference is good until the next add().
  // Requires: section.key is not in the table yet.
  Option& add(const std::string& section,
              const std::string& key,
              bool& field,
              const std::string& help);
  Option& add(const std::string& section,
              const std::string& key,
              std::int64_t& field,
              const std::string& unit,
              const std::string& help);
  Option& add(const std::string& section,
              const std::string& key,
              double& field,
              const std::string& unit,
              const std::string& help);
  // Without a value: `auto`, the program chooses.
  Option& add(const std::string& section,
              const std::string& key,
              std::optional<double>& field,
              const std::string& unit,
              const std::string& help);
  Option& add(const std::string& section,
              const std::string& key,
              std::string& field,
              const std::string& help,
              std::vector<std::string> choices = {});
  Option& add(const std::string& section,
              const std::string& key,
              std::vector<double>& field,
              const std::string& unit,
              const std::string& help);
  Option& add(const std::string& section,
              const std::string& key,
              std::vector<std::int64_t>& field,
              const std::string& unit,
              const std::string& help);

  const std::vector<Option>& options() const { return options_; }
  // nullptr when there is none.
  const Option* find(std::string_view name) const;
  // The known name with the smallest edit distance; empty when none is near.
  std::string nearest(std::string_view name) const;

 private:
  Option& push(Option option);
  std::vector<Option> options_;
};

// The one of `known` with the smallest edit distance to `name`; empty when none is near.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace lockstep
