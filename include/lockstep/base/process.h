// Facts about this process and machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace lockstep {

std::string host_name();
// An environment variable; nullopt when unset.
std::optional<std::string> environment(const char* name);
// True where mpirun, mpiexec, PMIx or PMI left word for MPI in the environment.
bool has_process_manager();
// True under mpirun, mpiexec or an srun step of several tasks: decides only whether MPI is opened.
bool started_by_launcher();
std::int64_t resident_bytes();
std::int64_t peak_resident_bytes();

}  // namespace lockstep
