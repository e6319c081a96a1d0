// The last word of a failing program: one FATAL record on standard error, in the form of
// docs/troubleshooting.md.
#pragma once

#include <lockstep/base/error.h>

#include <string>
#include <string_view>

namespace lockstep::apps {

// The record without its newline: FATAL code=… rank=… host=… pid=… phase=… step=… cause="…", always
// one line.
std::string failure_record(const Error& error, int rank, std::string_view phase, long step);

// Writes the record in one write(2) and returns the exit code. Who calls it decides that no other
// rank does.
int report_failure(const Error& error, int rank, std::string_view phase, long step);

// This process's rank as its launcher tells it, 0 without one: for failures before MPI is open, and
// for nothing else.
int launcher_rank();

}  // namespace lockstep::apps
