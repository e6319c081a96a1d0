// Threads: names, CPU masks and blocked signals, as the kernel sees them.
#include <lockstep/base/threads.h>

#include <gmock/gmock.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The calling thread's mask comes back at the end of the test.
class Affinity : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(sched_getaffinity(0, sizeof before_, &before_), 0);
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || CPU_COUNT(&before_) < 2) {
      GTEST_SKIP() << "needs two cores";
    }
  }
  void TearDown() override { sched_setaffinity(0, sizeof before_, &before_); }

  static void bind_to(const std::vector<int>& cores) {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    for (const int core : cores) CPU_SET(core, &mask);
    ASSERT_EQ(sched_setaffinity(0, sizeof mask, &mask), 0);
  }

  cpu_set_t before_{};
};

TEST_F(Affinity, AllowedCoresFollowTheMask) {
  const auto all = allowed_cores();
  EXPECT_EQ(static_cast<int>(all.size()), CPU_COUNT(&before_));
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  bind_to({all.back()});
  EXPECT_THAT(allowed_cores(), ElementsAre(all.back()));
}

TEST_F(Affinity, OneCoreIsWidenedAndSaid) {
  const auto all = allowed_cores();
  for (const int local_ranks : {1, 2, 1000}) {
    bind_to({all.front()});
    const std::string line = widen_affinity(local_ranks);
    EXPECT_THAT(line, HasSubstr("bound to 1 of "));
    EXPECT_THAT(line, HasSubstr("widened to " + std::to_string(all.size()) + " cores"));
    EXPECT_EQ(allowed_cores(), all);
  }
}

TEST_F(Affinity, AWideMaskIsLeftAlone) {
  const auto all = allowed_cores();
  if (static_cast<long>(all.size()) != sysconf(_SC_NPROCESSORS_ONLN)) {
    GTEST_SKIP() << "the test itself is bound";
  }
  EXPECT_EQ(widen_affinity(1), "");
  EXPECT_EQ(allowed_cores(), all);
}

TEST_F(Affinity, AFairShareIsLeftAlone) {
  const auto all = allowed_cores();
  if (all.size() < 4) GTEST_SKIP() << "needs four cores";
  bind_to({all[0], all[1]});
  EXPECT_EQ(widen_affinity(static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)) / 2), "");
  EXPECT_EQ(allowed_cores().size(), 2U);
}

TEST_F(Affinity, CoresOfARankAreItsMaskButNoMoreThanItsPartOfTheMachine) {
  const auto all = allowed_cores();
  const auto online = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  EXPECT_EQ(cores_per_rank(1), static_cast<int>(all.size()));
  EXPECT_EQ(cores_per_rank(online), 1);
  EXPECT_EQ(cores_per_rank(1 << 20), 1);
  bind_to({all.front()});
  EXPECT_EQ(cores_per_rank(1), 1);
}

TEST(ThreadName, ReachesTheKernelCutToFifteen) {
  std::string name(16, '\0');
  std::thread([&] {
    set_thread_name("communication-thread");
    pthread_getname_np(pthread_self(), name.data(), name.size());
  }).join();
  EXPECT_STREQ(name.c_str(), "communication-t");
}

// In a thread of its own, so that the test program still ends on Ctrl-C.
TEST(BlockSignals, BlocksHereAndInThreadsStartedLaterAndSigwaitTakes) {
  int taken = 0;
  bool all_blocked = true;
  bool inherited = false;
  std::thread([&] {
    block_signals();
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU}) {
      all_blocked = all_blocked && sigismember(&mask, signal) == 1;
    }
    all_blocked = all_blocked && sigismember(&mask, SIGSEGV) == 0;
    std::thread([&] {
      sigset_t child;
      pthread_sigmask(SIG_SETMASK, nullptr, &child);
      inherited = sigismember(&child, SIGTERM) == 1;
    }).join();
    pthread_kill(pthread_self(), SIGUSR1);
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    const timespec limit{2, 0};
    taken = sigtimedwait(&wanted, nullptr, &limit);
  }).join();
  EXPECT_TRUE(all_blocked);
  EXPECT_TRUE(inherited);
  EXPECT_EQ(taken, SIGUSR1);
}

}  // namespace
}  // namespace lockstep
