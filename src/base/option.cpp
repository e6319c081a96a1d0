#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/option.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace lockstep {
namespace {

std::string number_text(double value) {
  std::array<char, 32> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), result.ptr};
}

template <class T>
T parse_number(const std::string& name, const std::string& text, const char* type) {
  T value{};
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') ++begin;
  const auto result = std::from_chars(begin, end, value);
  if (result.ec == std::errc::result_out_of_range && result.ptr == end) {
    throw config_error(format("{} = \"{}\" is out of range for {}", name, text, type));
  }
  if (result.ec != std::errc{} || result.ptr != end) {
    throw config_error(format("{} = \"{}\" is not {}", name, text, type));
  }
  return value;
}

double parse_finite(const std::string& name, const std::string& text) {
  const auto value = parse_number<double>(name, text, "a number");
  if (!std::isfinite(value)) throw config_error(format("{} = \"{}\" is not finite", name, text));
  return value;
}

std::int64_t parse_whole(const std::string& name, const std::string& text) {
  return parse_number<std::int64_t>(name, text, "a whole number");
}

bool parse_boolean(const std::string& name, const std::string& text) {
  for (const char* yes : {"true", "1", "yes", "on"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"false", "0", "no", "off"}) {
    if (text == no) return false;
  }
  throw config_error(format("{} = \"{}\" is not a boolean: write true or false", name, text));
}

std::string number_text(std::int64_t value) { return std::to_string(value); }

template <class T>
std::string list_text(const std::vector<T>& values) {
  std::string text;
  for (const T value : values) text += (text.empty() ? "" : ",") + number_text(value);
  return text;
}

// Empty text is the empty list. Throws with the whole text: an item alone could not be found again.
template <class Parse>
auto parse_list(const std::string& name, const std::string& text, const Parse& parse) {
  std::vector<decltype(parse(name, text))> values;
  if (text.empty()) return values;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string item = text.substr(begin, end - begin);
    std::erase(item, ' ');
    if (item.empty()) {
      throw config_error(
          format("{} = \"{}\" has an empty item: write numbers with commas between", name, text));
    }
    values.push_back(parse(format("{} = \"{}\": item", name, text), item));
    begin = end + 1;
  }
  return values;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

Option make_option(const std::string& section,
                   const std::string& key,
                   const std::string& type,
                   const std::string& unit,
                   const std::string& help) {
  Option option;
  option.section = section;
  option.key = key;
  option.type = type;
  option.unit = unit;
  option.help = help;
  return option;
}

}  // namespace

Option& OptionTable::push(Option option) {
  LOCKSTEP_CHECK(find(option.name()) == nullptr, "an option was added twice: " + option.name());
  option.default_text = option.get();
  options_.push_back(std::move(option));
  return options_.back();
}

Option& OptionTable::add(const std::string& section,
                         const std::string& key,
                         bool& field,
                         const std::string& help) {
  Option option = make_option(section, key, "boolean", "", help);
  option.set = [&field, name = option.name()](const std::string& text) {
    field = parse_boolean(name, text);
  };
  option.get = [&field] { return std::string(field ? "true" : "false"); };
  return push(std::move(option));
}

Option& OptionTable::add(const std::string& section,
                         const std::string& key,
                         std::int64_t& field,
                         const std::string& unit,
                         const std::string& help) {
  Option option = make_option(section, key, "integer", unit, help);
  option.set = [&field, name = option.name()](const std::string& text) {
    field = parse_whole(name, text);
  };
  option.get = [&field] { return std::to_string(field); };
  return push(std::move(option));
}

Option& OptionTable::add(const std::string& section,
                         const std::string& key,
                         double& field,
                         const std::string& unit,
                         const std::string& help) {
  Option option = make_option(section, key, "number", unit, help);
  option.set = [&field, name = option.name()](const std::string& text) {
    field = parse_finite(name, text);
  };
  option.get = [&field] { return number_text(field); };
  return push(std::move(option));
}

Option& OptionTable::add(const std::string& section,
                         const std::string& key,
                         std::optional<double>& field,
                         const std::string& unit,
                         const std::string& help) {
  Option option = make_option(section, key, "number or auto", unit, help);
  option.set = [&field, name = option.name()](const std::string& text) {
    field = text == "auto" ? std::nullopt : std::optional(parse_finite(name, text));
  };
  option.get = [&field] { return field ? number_text(*field) : std::string("auto"); };
  return push(std::move(option));
}

Option& OptionTable::add(const std::string& section,
                         const std::string& key,
                         std::string& field,
                         const std::string& help,
                         std::vector<std::string> choices) {
  Option option = make_option(section, key, "text", "", help);
  option.choices = choices;
  option.set = [&field, name = option.name(), choices](const std::string& text) {
    if (!choices.empty() && std::ranges::find(choices, text) == choices.end()) {
      throw config_error(format("{} = \"{}\" is not one of: {}", name, text, joined(choices)));
    }
    field = text;
  };
  option.get = [&field] { return field; };
  return push(std::move(option));
}

Option& OptionTable::add(const std::string& section,
                         const std::string& key,
                         std::vector<double>& field,
                         const std::string& unit,
                         const std::string& help) {
  Option option = make_option(section, key, "list of numbers", unit, help);
  option.set = [&field, name = option.name()](const std::string& text) {
    field = parse_list(name, text, parse_finite);
  };
  option.get = [&field] { return list_text(field); };
  return push(std::move(option));
}

Option& OptionTable::add(const std::string& section,
                         const std::string& key,
                         std::vector<std::int64_t>& field,
                         const std::string& unit,
                         const std::string& help) {
  Option option = make_option(section, key, "list of integers", unit, help);
  option.set = [&field, name = option.name()](const std::string& text) {
    field = parse_list(name, text, parse_whole);
  };
  option.get = [&field] { return list_text(field); };
  return push(std::move(option));
}

const Option* OptionTable::find(std::string_view name) const {
  const auto found = std::ranges::find_if(
      options_, [name](const Option& option) { return option.name() == name; });
  return found == options_.end() ? nullptr : &*found;
}

std::string OptionTable::nearest(std::string_view name) const {
  std::vector<std::string> known;
  for (const Option& option : options_) known.push_back(option.name());
  return nearest_name(name, known);
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(3, name.size() / 3) + 1;
  for (const std::string& each : known) {
    const std::size_t distance = edit_distance(name, each);
    if (distance < best_distance) {
      best_distance = distance;
      best = each;
    }
  }
  return best;
}

}  // namespace lockstep
