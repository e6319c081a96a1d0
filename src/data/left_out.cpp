#include "left_out.h"

#include "source_files.h"

#include <lockstep/base/format.h>

#include <algorithm>

namespace lockstep::data {
namespace {

constexpr std::size_t kMaxNames = 5;
constexpr std::size_t kMaxReasons = 20;
const char* const kOther = "things for other reasons";

// "12 extraneous bytes" and "7 extraneous bytes" are one reason.
std::string without_numbers(const std::string& text) {
  std::string plain;
  for (const char c : text) {
    const char shown = c >= '0' && c <= '9' ? '#' : c;
    if (shown != '#' || plain.empty() || plain.back() != '#') plain += shown;
  }
  return plain;
}

}  // namespace

void LeftOut::add(const std::string& what, const std::string& name, std::int64_t count) {
  const auto named = [&](const std::string& text) {
    return std::find_if(reasons_.begin(), reasons_.end(), [&](const Reason& reason) {
      return reason.what == text;
    });
  };
  auto reason = named(what);
  if (reason == reasons_.end()) {
    const std::string text = reasons_.size() < kMaxReasons ? what : kOther;
    reason = named(text);
    if (reason == reasons_.end()) reason = reasons_.insert(reason, {text, 0, 0, {}});
  }
  reason->count += count;
  // The boxes of one picture come one after the other.
  if (!reason->first_names.empty() && reason->first_names.back() == name) return;
  ++reason->num_names;
  if (reason->first_names.size() < kMaxNames) reason->first_names.push_back(name);
}

void LeftOut::add_broken(const std::string& name, const std::string& reason) {
  add(format("broken pictures ({})", without_numbers(reason)), name);
}

std::vector<std::string> LeftOut::lines() const {
  std::vector<std::string> lines;
  for (const Reason& reason : reasons_) {
    std::string line = format("{} {}: ", reason.count, reason.what);
    for (const std::string& name : reason.first_names) {
      if (&name != &reason.first_names.front()) line += ", ";
      line += printable(name);
    }
    const auto shown = std::ssize(reason.first_names);
    if (reason.num_names > shown) line += format(" and {} more", reason.num_names - shown);
    lines.push_back(line);
  }
  return lines;
}

}  // namespace lockstep::data
