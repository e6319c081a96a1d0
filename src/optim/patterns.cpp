#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/option.h>
#include <lockstep/optim/patterns.h>

#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace lockstep::optim {
namespace {

std::string trimmed(const std::string& text) {
  constexpr const char* kBlanks = " \t";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// The pattern without what stands for other characters, for a comparison with names.
std::string literal_of(std::string pattern) {
  std::erase_if(pattern, [](char c) { return c == '*' || c == '?' || c == '[' || c == ']'; });
  return pattern;
}

// The name whose beginning is nearest, as patterns mostly end in a star.
std::string name_near(const std::string& pattern, const std::vector<std::string>& names) {
  const std::string literal = literal_of(pattern);
  std::vector<std::string> heads;
  for (const std::string& name : names) heads.push_back(name.substr(0, literal.size()));
  const std::string head = nearest_name(literal, heads);
  const auto found = std::ranges::find(heads, head);
  const bool near = !head.empty() && found != heads.end();
  return near ? names[static_cast<std::size_t>(found - heads.begin())] : names.front();
}

}  // namespace

bool matches(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

std::vector<std::string> parse_patterns(const std::string& key, const std::string& text) {
  std::vector<std::string> patterns;
  if (trimmed(text).empty()) return patterns;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    patterns.push_back(trimmed(text.substr(begin, end - begin)));
    if (patterns.back().empty()) {
      throw config_error(format("{} = {} has an empty pattern between commas", key, text));
    }
    begin = end + 1;
  }
  return patterns;
}

std::vector<std::pair<std::string, double>> parse_factors(const std::string& key,
                                                          const std::string& text) {
  std::vector<std::pair<std::string, double>> factors;
  for (const std::string& part : parse_patterns(key, text)) {
    const std::size_t colon = part.rfind(':');
    const std::string number = colon == std::string::npos ? "" : trimmed(part.substr(colon + 1));
    double factor = 0;
    const char* const end = number.data() + number.size();
    const auto result = std::from_chars(number.data(), end, factor);
    if (result.ec != std::errc{} || result.ptr != end || !std::isfinite(factor) || factor < 0) {
      throw config_error(
          format("{}: {} is not PATTERN:FACTOR with a factor of 0 or more", key, part));
    }
    factors.emplace_back(trimmed(part.substr(0, colon)), factor);
  }
  return factors;
}

void require_match(const std::string& key,
                   const std::string& pattern,
                   const std::vector<std::string>& names,
                   const char* what) {
  const auto fits = [&](const std::string& name) { return matches(pattern, name); };
  if (names.empty() || std::ranges::any_of(names, fits)) return;
  throw config_error(format("{}: {} matches none of {} {}; one near it is {}",
                            key,
                            pattern,
                            names.size(),
                            what,
                            name_near(pattern, names)));
}

}  // namespace lockstep::optim
