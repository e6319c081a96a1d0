#include "probe_input.h"

#include <lockstep/data/probe.h>

#include <system_error>

namespace lockstep::apps {

void probe_input(const std::filesystem::path& path, const data::Options& options) {
  if (path.empty()) return;
  std::error_code code;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", code);
  const auto program = self.parent_path() / "lockstep";
  if (code || !std::filesystem::exists(program, code)) return;
  data::probe_file(program, path, options);
}

}  // namespace lockstep::apps
