#include "thread_latency.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lockstep::comm {
namespace {

constexpr unsigned long kTimerSlack_ns = 1000;
constexpr unsigned long kSlice_ns = 100'000;  // the least that EEVDF takes

}  // namespace

void prefer_low_latency() {
  prctl(PR_SET_TIMERSLACK, kTimerSlack_ns, 0, 0, 0);
  sched_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.sched_policy = SCHED_NORMAL;
  attributes.sched_nice = getpriority(PRIO_PROCESS, 0);
  attributes.sched_runtime = kSlice_ns;
  syscall(SYS_sched_setattr, 0, &attributes, 0U);
}

}  // namespace lockstep::comm
