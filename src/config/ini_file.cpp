// Boost's INI reader knows no line numbers and cuts values at any '#', also inside a path, so the
// lines are read here.
#include "sources.h"

#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <utility>

namespace lockstep::config {
namespace {

constexpr std::uint64_t kLimitBytes = 1 << 20;
constexpr std::string_view kBlanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

std::string_view without_comment(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '#' && (i == 0 || kBlanks.find(text[i - 1]) != std::string_view::npos))
      return text.substr(0, i);
  }
  return text;
}

class IniReader {
 public:
  IniReader(std::string file, const OptionTable& table) : file_(std::move(file)), table_(table) {}

  void read_line(std::string_view raw) {
    ++line_;
    const std::string_view line = trimmed(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') return;
    if (line.front() == '[') {
      enter_section(trimmed(without_comment(line)));
    } else {
      assign(line);
    }
  }

  std::vector<Assignment> take() { return std::move(assignments_); }

 private:
  std::string place() const { return format("{}:{}", file_, line_); }

  [[noreturn]] void refuse(const std::string& what) const {
    throw config_error(format("{}: {}", place(), what));
  }

  void enter_section(std::string_view line) {
    if (line.size() < 3 || line.back() != ']') {
      refuse(format("\"{}\" is no section: write [name]", line));
    }
    section_ = trimmed(line.substr(1, line.size() - 2));
    std::vector<std::string> sections;
    for (const Option& option : table_.options()) sections.push_back(option.section);
    if (std::ranges::find(sections, section_) != sections.end()) return;
    const std::string near = nearest_name(section_, sections);
    refuse(format("unknown section [{}]{}",
                  section_,
                  near.empty() ? "; `lockstep config list` names all"
                               : format("; did you mean [{}]?", near)));
  }

  void assign(std::string_view line) {
    const std::size_t equals = line.find('=');
    const std::string_view key = trimmed(line.substr(0, equals));
    if (equals == std::string_view::npos || key.empty()) {
      refuse(format("\"{}\" is neither [section] nor key = value", line));
    }
    if (section_.empty()) refuse(format("\"{}\" stands before the first [section]", line));
    const std::string name = format("{}.{}", section_, key);
    if (table_.find(name) == nullptr) {
      const std::string near = suggest(table_, name);
      refuse(format("unknown setting {}{}",
                    name,
                    near.empty() ? "; `lockstep config list` names all"
                                 : format("; did you mean {}?", near)));
    }
    const auto before = std::ranges::find_if(
        assignments_, [&name](const Assignment& each) { return each.origin.name == name; });
    if (before != assignments_.end()) {
      refuse(format("{} was already given at {}: remove one", name, before->origin.where));
    }
    // On a line of its own: GCC 12 destroys the parts of a braced aggregate twice when a later one
    // throws.
    std::string value = value_of(trimmed(line.substr(equals + 1)));
    assignments_.push_back({{name, Source::kFile, place()}, std::move(value)});
  }

  std::string value_of(std::string_view text) const {
    if (text.empty() || text.front() != '"') return std::string(trimmed(without_comment(text)));
    const std::size_t end = text.rfind('"');
    if (end == 0) refuse("a value that begins with \" does not end with one");
    if (!trimmed(without_comment(text.substr(end + 1))).empty()) {
      refuse("something stands behind the closing \" of a value");
    }
    return std::string(text.substr(1, end - 1));
  }

  std::string file_;
  const OptionTable& table_;
  std::size_t line_ = 0;
  std::string section_;
  std::vector<Assignment> assignments_;
};

}  // namespace

std::vector<Assignment> read_ini(const std::filesystem::path& path, const OptionTable& table) {
  std::error_code code;
  if (!std::filesystem::exists(path, code)) {
    throw config_error(
        format("--config {}: there is no such file; configs/ holds those that come with lockstep",
               path.string()));
  }
  if (!std::filesystem::is_regular_file(path, code)) {
    throw io_error(format("--config {} is not a file", path.string()));
  }
  const std::string text = read_text(path, kLimitBytes);
  IniReader reader(path.string(), table);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    reader.read_line(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
  }
  return reader.take();
}

}  // namespace lockstep::config
