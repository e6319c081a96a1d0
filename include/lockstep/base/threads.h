// Threads: names, CPU masks, and the rule that signals are taken by sigwait only.
#pragma once

#include <string>
#include <vector>

namespace lockstep {

// At most 15 characters reach the kernel.
void set_thread_name(const std::string& name);

// Cores that this process may run on, ascending.
std::vector<int> allowed_cores();

// Cores that one of `local_ranks` equal processes of this machine can count on, at least 1: its
// mask, but no more than its part of the machine where masks overlap.
int cores_per_rank(int local_ranks);

// mpirun with two ranks or fewer binds a rank to one core, where its compute, communication and
// reader threads would queue. Widens the mask of the calling process to all cores of the machine
// when it is narrower than cores / local_ranks. Returns the line to log, empty when nothing
// changed. Requires: called before other threads start.
std::string widen_affinity(int local_ranks);

// Blocks every signal that a user or a batch system sends (TERM, INT, HUP, USR1, USR2, XCPU) in the
// calling thread and all threads it starts later; one thread may take them by sigwait.
void block_signals();

}  // namespace lockstep
