// Globs on names of parameters and layers.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace lockstep::optim {

// As fnmatch(3): * stands for any characters, dots too, ? for one, [abc] for one of these.
bool matches(const std::string& pattern, const std::string& name);

// "a*, b*" -> {"a*", "b*"}.
// Throws: Error(kConfig) naming `key` when a part is empty.
std::vector<std::string> parse_patterns(const std::string& key, const std::string& text);

// "a*:0.1, b*:2" -> {{"a*", 0.1}, {"b*", 2}}.
// Throws: Error(kConfig) naming `key` when a factor is missing or negative.
std::vector<std::pair<std::string, double>> parse_factors(const std::string& key,
                                                          const std::string& text);

// Throws: Error(kConfig) when `pattern` of `key` matches none of `names`, with a name near it;
// `what` they are names of.
void require_match(const std::string& key,
                   const std::string& pattern,
                   const std::vector<std::string>& names,
                   const char* what = "parameters");

}  // namespace lockstep::optim
