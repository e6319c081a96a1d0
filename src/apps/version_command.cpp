// `lockstep version`: what this build is made of.
#include "commands.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/version.h>

#include <nlohmann/json.hpp>

#include <cstdio>
#include <utility>
#include <vector>

namespace lockstep::apps {
namespace {

std::vector<std::pair<std::string, std::string>> facts() {
  const BuildInfo& info = build_info();
  return {{"lockstep", info.version},
          {"git_id", info.git_id},
          {"build_id", info.build_id},
          {"compiler", info.compiler},
          {"build_type", info.build_type},
          {"libtorch", info.libtorch},
          {"cuda", info.cuda},
          {"nccl", info.nccl},
          {"mpi", info.mpi},
          {"hdf5", info.hdf5},
          {"boost", info.boost}};
}

}  // namespace

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
    for (const auto& [name, value] : facts()) object[name] = value;
    text = object.dump() + "\n";
  } else {
    for (const auto& [name, value] : facts()) text += format("{:<12}{}\n", name, value);
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

}  // namespace lockstep::apps
