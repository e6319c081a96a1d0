#include <lockstep/config/settings.h>

namespace lockstep::config {

std::string ini_value(const std::string& value) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  bool quote = !value.empty() && (value.front() == '"' || value.front() == '#' ||
                                  is_blank(value.front()) || is_blank(value.back()));
  for (std::size_t i = 1; i < value.size(); ++i) {
    quote = quote || (value[i] == '#' && is_blank(value[i - 1]));
  }
  return quote ? '"' + value + '"' : value;
}

std::string resolved_ini(const Settings& settings) {
  Settings copy = settings;
  const OptionTable table = make_table(copy);
  std::string text = "# Every setting with the value in force.\n";
  std::string section;
  for (const Option& option : table.options()) {
    if (option.section != section) text += "\n[" + option.section + "]\n";
    section = option.section;
    text += option.key + " = " + ini_value(option.get()) + "\n";
  }
  return text;
}

}  // namespace lockstep::config
