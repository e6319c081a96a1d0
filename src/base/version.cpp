#include "version_values.h"

#include <lockstep/base/version.h>

namespace lockstep {

const BuildInfo& build_info() {
  static const BuildInfo& info = *new BuildInfo{
      LOCKSTEP_VERSION, LOCKSTEP_GIT_ID, LOCKSTEP_BUILD_ID, LOCKSTEP_COMPILER, LOCKSTEP_BUILD_TYPE};
  return info;
}

}  // namespace lockstep
