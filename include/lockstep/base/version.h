// What was built: version, git id, build id.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace lockstep {

struct BuildInfo {
  std::string version;  // "0.1.0"
  std::string git_id;   // commit, "-dirty" when the tree had changes, "unknown" without git
  std::string
      build_id;  // equal exactly when two programs were built from the same sources and flags
  std::string compiler;
  std::string build_type;
  // Versions of what it was built with; "none" where a part was left out.
  std::string libtorch;
  std::string cuda;
  std::string nccl;
  std::string mpi;
  std::string hdf5;
  std::string boost;
};

const BuildInfo& build_info();

// The same by name ("lockstep", "git_id", "libtorch", ...), as everything that is printed or
// recorded names it.
std::vector<std::pair<std::string, std::string>> build_facts();

}  // namespace lockstep
