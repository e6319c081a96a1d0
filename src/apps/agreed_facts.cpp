#include "agreed_facts.h"

#include <lockstep/base/format.h>
#include <lockstep/base/version.h>
#include <lockstep/config/settings.h>

#include <sstream>

namespace lockstep::apps {

std::vector<comm::Fact> facts_of_ini(const std::string& text) {
  constexpr std::string_view kEquals = " = ";
  std::vector<comm::Fact> facts;
  std::string section;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) section = line.substr(1, line.find(']') - 1);
    const std::size_t equals = line.find(kEquals);
    if (line.starts_with('#') || equals == std::string::npos) continue;
    facts.push_back({section + "." + line.substr(0, equals), line.substr(equals + kEquals.size())});
  }
  return facts;
}

std::vector<comm::Fact> agreed_facts(const std::string& communication,
                                     const config::Command& command,
                                     const config::CommandLine& line) {
  std::vector<comm::Fact> facts{{"command", command.name}};
  for (const auto& [name, value] : build_facts()) facts.push_back({"version of " + name, value});
  facts.push_back({"MPI", communication});
  for (const auto& [name, value] : line.flags) facts.push_back({"--" + name, value});
  facts.push_back({"--help", line.help ? "given" : "not given"});
  for (std::size_t i = 0; i < line.positional.size(); ++i) {
    facts.push_back({format("argument {}", i + 1), line.positional[i]});
  }
  for (const comm::Fact& fact : facts_of_ini(config::resolved_ini(line.settings))) {
    facts.push_back(fact);
  }
  return facts;
}

}  // namespace lockstep::apps
