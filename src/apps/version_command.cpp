// `lockstep version`: what this build is made of.
#include "commands.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/version.h>

#include <nlohmann/json.hpp>

#include <cstdio>
#include <string>

namespace lockstep::apps {
int run_version(Arguments arguments) {
  bool json = false;
  for (const std::string& argument : arguments) {
    if (argument == "--help" || argument == "-h") {
      std::puts("usage: lockstep version [--json]\n\nVersions that this program was built with.");
      return 0;
    }
    if (argument != "--json") {
      throw usage_error(
          format("lockstep version does not know \"{}\": write --json or nothing", argument));
    }
    json = true;
  }
  std::string text;
  if (json) {
    nlohmann::ordered_json object;
    for (const auto& [name, value] : build_facts()) object[name] = value;
    text = object.dump() + "\n";
  } else {
    for (const auto& [name, value] : build_facts()) text += format("{:<12}{}\n", name, value);
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

}  // namespace lockstep::apps
