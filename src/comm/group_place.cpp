#include "group_place.h"

#include <lockstep/base/format.h>
#include <lockstep/base/process.h>
#include <lockstep/base/units.h>

namespace lockstep::comm {

std::string operation_text(const char* verb, std::size_t size_bytes, const GroupPlace& place) {
  return format("{} of {} in the {} group on rank {} of {} ({})",
                verb,
                bytes_text(static_cast<double>(size_bytes)),
                place.name,
                place.rank,
                place.size,
                host_name());
}

std::string late_text(const std::string& operation, double timeout_s) {
  return format(
      "{} did not finish within {:.1f} s (comm.timeout_s): a peer died, hangs or is far "
      "behind; see the other ranks' logs",
      operation,
      timeout_s);
}

}  // namespace lockstep::comm
