// Exit codes of every lockstep program; docs/troubleshooting.md explains them to users.
#pragma once

#include <string_view>

namespace lockstep {

enum class ExitCode : int {
  kDone = 0,
  kUsage = 64,        // a command line that cannot be understood
  kBadData = 65,      // a data set, weights or record file that must not be used
  kUnavailable = 69,  // a device, MPI or NCCL is missing
  kInternal = 70,     // a bug in lockstep
  kOutOfMemory = 71,
  kIo = 74,          // a file or folder cannot be read or written
  kRequeue = 75,     // stopped after a snapshot: run me again
  kDiverged = 76,    // loss or gradient not finite
  kConfig = 78,      // a setting that cannot be used
  kGateMissed = 79,  // a gate such as --fail-below was missed
  kPeerLost = 80,    // a peer died or the watchdog fired
};

// A word for the code, for example "bad data".
std::string_view exit_code_name(ExitCode code);

}  // namespace lockstep
