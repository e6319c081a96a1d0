#include "sources.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <unistd.h>

#include <algorithm>
#include <cctype>

namespace lockstep::config {
namespace {

constexpr std::string_view kPrefix = "LOCKSTEP_";

std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(
      result, result.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

bool names_a_section(std::string_view variable, const OptionTable& table) {
  return std::ranges::any_of(table.options(), [variable](const Option& option) {
    return variable.starts_with(std::string(kPrefix) + upper(option.section) + "_");
  });
}

}  // namespace

Environment process_environment() {
  Environment result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    result.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

std::string environment_name(const Option& option) {
  return std::string(kPrefix) + upper(option.section) + "_" + upper(option.key);
}

std::vector<Assignment> read_environment(const Environment& environment, const OptionTable& table) {
  std::vector<Assignment> assignments;
  std::vector<std::string> known;
  for (const Option& option : table.options()) known.push_back(environment_name(option));
  for (const auto& [variable, value] : environment) {
    if (!variable.starts_with(kPrefix) || !names_a_section(variable, table)) continue;
    const auto found = std::ranges::find(known, variable);
    if (found == known.end()) {
      const std::string near = nearest_name(variable, known);
      throw config_error(format("environment variable {} is no setting{}",
                                variable,
                                near.empty() ? ": unset it" : format("; did you mean {}?", near)));
    }
    const auto index = static_cast<std::size_t>(found - known.begin());
    assignments.push_back({{table.options()[index].name(), Source::kEnvironment, variable}, value});
  }
  return assignments;
}

}  // namespace lockstep::config
