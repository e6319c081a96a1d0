#include "flags.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

namespace lockstep::apps {
namespace {

constexpr std::size_t kHelpColumn = 26;

// Levenshtein distance, row by row.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

Flags::Flags(const FlagTable& table, Arguments arguments) : table_(table) {
  bool only_positional = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (only_positional || argument.size() < 2 || argument[0] != '-') {
      positional_.push_back(argument);
    } else if (argument == "--") {
      only_positional = true;
    } else if (argument == "--help" || argument == "-h") {
      help_ = true;
    } else {
      const std::size_t equals = argument.find('=');
      const Flag& flag = find(argument.substr(0, equals));
      std::string& value = values_[flag.name];
      if (flag.value.empty()) {
        if (equals == std::string::npos) continue;
        throw usage_error(format("{} takes no value", flag.name));
      }
      if (equals == std::string::npos && i + 1 == arguments.size()) {
        throw usage_error(format("{} needs {} after it", flag.name, flag.value));
      }
      value = equals == std::string::npos ? arguments[++i] : argument.substr(equals + 1);
    }
  }
}

const Flag& Flags::find(const std::string& name) const {
  std::vector<std::string> names{"--help"};
  for (const Flag& flag : table_.flags) {
    if (flag.name == name) return flag;
    names.push_back(flag.name);
  }
  const std::string near = nearest_word(name, names);
  throw usage_error(format("unknown flag {}{} (usage: {})",
                           name,
                           near.empty() ? "" : format(": did you mean {}?", near),
                           table_.usage));
}

std::string Flags::text(const std::string& name, const std::string& missing) const {
  const auto found = values_.find(name);
  return found == values_.end() ? missing : found->second;
}

std::string Flags::required_text(const std::string& name) const {
  const std::string value = text(name);
  if (!value.empty()) return value;
  throw usage_error(format("{} is missing (usage: {})", name, table_.usage));
}

std::int64_t Flags::whole(const std::string& name, std::int64_t missing) const {
  if (!has(name)) return missing;
  const std::string value = text(name);
  std::int64_t number = 0;
  const auto result = std::from_chars(value.data(), value.data() + value.size(), number);
  if (result.ec == std::errc{} && result.ptr == value.data() + value.size()) return number;
  throw usage_error(format("{} {} is not a whole number", name, value));
}

std::vector<std::string> Flags::list(const std::string& name) const {
  std::vector<std::string> items;
  if (!has(name)) return items;
  const std::string value = text(name);
  for (std::size_t begin = 0; begin <= value.size();) {
    const std::size_t end = std::min(value.find(',', begin), value.size());
    items.push_back(trimmed(std::string_view(value).substr(begin, end - begin)));
    if (items.back().empty()) throw usage_error(format("{} {} has an empty name", name, value));
    begin = end + 1;
  }
  return items;
}

std::string help_text(const FlagTable& table) {
  std::string text = "usage: " + table.usage + "\n\n" + table.summary + "\n\nflags:\n";
  for (const Flag& flag : table.flags) {
    std::string left = "  " + flag.name + (flag.value.empty() ? "" : " " + flag.value);
    left.resize(std::max(left.size() + 2, kHelpColumn), ' ');
    text += left + flag.help + "\n";
  }
  std::string left = "  --help";
  left.resize(kHelpColumn, ' ');
  return text + left + "print this\n";
}

std::string nearest_word(std::string_view word, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace lockstep::apps
