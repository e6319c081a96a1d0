#include <lockstep/base/format.h>
#include <lockstep/base/threads.h>

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

namespace lockstep {

void set_thread_name(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

std::vector<int> allowed_cores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &mask)) cores.push_back(core);
  }
  return cores;
}

namespace {

// Of all cores of the machine, evenly.
long share_of_machine(int local_ranks) {
  return std::max(1L, sysconf(_SC_NPROCESSORS_ONLN) / std::max(1, local_ranks));
}

}  // namespace

int cores_per_rank(int local_ranks) {
  const auto allowed = std::max(1L, static_cast<long>(allowed_cores().size()));
  return static_cast<int>(std::min(allowed, share_of_machine(local_ranks)));
}

std::string widen_affinity(int local_ranks) {
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  const auto allowed = static_cast<long>(allowed_cores().size());
  const long share = share_of_machine(local_ranks);
  // One core a rank is too narrow whatever the share is: a rank has helper threads.
  if (allowed >= online || (allowed >= share && allowed > 1)) return {};
  cpu_set_t mask;
  CPU_ZERO(&mask);
  for (int core = 0; core < std::min<long>(online, CPU_SETSIZE); ++core) CPU_SET(core, &mask);
  if (sched_setaffinity(0, sizeof mask, &mask) != 0) return {};
  const auto widened = static_cast<long>(allowed_cores().size());
  if (widened <= allowed) return {};
  return format(
      "bound to {} of {} cores with {} ranks here: widened to {} cores "
      "(mpirun --bind-to none keeps this quiet)",
      allowed,
      online,
      local_ranks,
      widened);
}

void block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU}) {
    sigaddset(&set, signal);
  }
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace lockstep
