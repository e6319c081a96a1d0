#include "comm/thread_latency.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>

#include <thread>

namespace lockstep::comm {
namespace {

TEST(ThreadLatency, ShortensTheTimerSlackOfThisThreadOnly) {
  const int before = prctl(PR_GET_TIMERSLACK);
  int inside = 0;
  std::thread([&] {
    prefer_low_latency();
    inside = prctl(PR_GET_TIMERSLACK);
  }).join();
  EXPECT_EQ(inside, 1000);
  EXPECT_EQ(prctl(PR_GET_TIMERSLACK), before);
}

}  // namespace
}  // namespace lockstep::comm
