// The state machine of a communicator against a scripted NCCL: no GPU needed.
#include "comm/nccl_communicator.h"

#include <lockstep/base/clock.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace lockstep::comm {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// What the scripted NCCL answers and what it was asked.
struct Script {
  NcclStatus init = NcclStatus::kDone;
  NcclStatus finalize = NcclStatus::kDone;
  std::atomic<int> polls_in_progress{0};  // then kDone
  std::atomic<bool> remote_error{false};
  std::atomic<bool> abort_blocks{false};
  std::atomic<int> aborts{0};
  std::atomic<int> destroys{0};
  std::atomic<int> mapped{0};
};
Script* g_script = nullptr;

NcclApi scripted() {
  NcclApi api;
  api.init = [](NcclHandle* handle, const NcclPlace&, const void*) {
    *handle = g_script;
    return g_script->init;
  };
  api.poll = [](NcclHandle) {
    if (g_script->remote_error) return NcclStatus::kFailed;
    return g_script->polls_in_progress-- > 0 ? NcclStatus::kInProgress : NcclStatus::kDone;
  };
  api.finalize = [](NcclHandle) { return g_script->finalize; };
  api.destroy = [](NcclHandle) { ++g_script->destroys; };
  api.abort = [](NcclHandle handle) {
    auto* script = static_cast<Script*>(handle);
    ++script->aborts;
    while (script->abort_blocks) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  };
  api.map = [](NcclHandle, void* memory, std::size_t) -> void* {
    if (memory == nullptr) return nullptr;
    ++g_script->mapped;
    return memory;
  };
  api.unmap = [](NcclHandle, void*) { --g_script->mapped; };
  api.last_error = [](NcclHandle) { return "remote process exited"; };
  return api;
}

class NcclCommunicatorTest : public testing::Test {
 protected:
  // Outlives the thread of an abort that was left behind.
  NcclCommunicatorTest() : script_(*new Script()) { g_script = &script_; }

  std::unique_ptr<NcclCommunicator> open() {
    return std::make_unique<NcclCommunicator>(scripted(), nullptr, settings_);
  }
  std::string error_of(const std::function<void()>& action) {
    try {
      action();
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kPeerLost);
      return error.what();
    }
  }

  Script& script_;
  NcclCommunicator::Settings settings_{
      .rank = 1, .size = 4, .timeout_s = 0.1, .abort_limit_s = 0.2};
};

TEST_F(NcclCommunicatorTest, OpensAfterSomePollsAndClosesInOrder) {
  script_.init = NcclStatus::kInProgress;
  script_.polls_in_progress = 150;
  auto communicator = open();
  EXPECT_EQ(communicator->handle(), g_script);
  communicator.reset();
  EXPECT_EQ(script_.destroys, 1);
  EXPECT_EQ(script_.aborts, 0);
}

TEST_F(NcclCommunicatorTest, InProgressForEverTimesOutAndAborts) {
  script_.init = NcclStatus::kInProgress;
  script_.polls_in_progress = 1 << 30;
  const double begin_s = now_s();
  EXPECT_THAT(error_of([&] { open(); }),
              AllOf(HasSubstr("opening"), HasSubstr("rank 1 of 4"), HasSubstr("comm.timeout_s")));
  EXPECT_GE(now_s() - begin_s, 0.1);
  EXPECT_LT(now_s() - begin_s, 2.0);
  EXPECT_EQ(script_.aborts, 1);
}

TEST_F(NcclCommunicatorTest, RemoteErrorIsReportedOnceAbortedAndRemembered) {
  const auto communicator = open();
  script_.remote_error = true;
  EXPECT_THAT(error_of([&] { communicator->check("all-reduce of 4 MiB"); }),
              AllOf(HasSubstr("all-reduce of 4 MiB"), HasSubstr("remote process exited")));
  script_.remote_error = false;
  EXPECT_NE(error_of([&] { communicator->launch("broadcast", [] { return NcclStatus::kDone; }); }),
            "");
  EXPECT_EQ(script_.aborts, 1);
}

TEST_F(NcclCommunicatorTest, LaunchThatFailsNamesTheCollective) {
  const auto communicator = open();
  EXPECT_THAT(error_of([&] {
                communicator->launch("broadcast of 1 KiB", [] { return NcclStatus::kFailed; });
              }),
              HasSubstr("broadcast of 1 KiB failed"));
}

TEST_F(NcclCommunicatorTest, WorkThatIsNeverDoneTimesOut) {
  const auto communicator = open();
  EXPECT_NO_THROW(communicator->check_progress("all-reduce", now_s()));
  EXPECT_THAT(error_of([&] { communicator->check_progress("all-reduce", now_s() - 1); }),
              HasSubstr("did not finish within 0.1 s"));
}

TEST_F(NcclCommunicatorTest, MemoryIsMappedUntilItIsGivenBackOrTheCommunicatorIsLost) {
  const auto communicator = open();
  int memory = 0;
  void* const mapped = communicator->map(&memory, sizeof(memory));
  EXPECT_EQ(script_.mapped, 1);
  communicator->unmap(mapped);
  EXPECT_EQ(script_.mapped, 0);
  communicator->unmap(communicator->map(nullptr, 4));  // this NCCL maps nothing
  EXPECT_EQ(script_.mapped, 0);
  try {
    const std::shared_ptr<void> kept(communicator->map(&memory, sizeof(memory)),
                                     [&](void* it) { communicator->unmap(it); });
    throw Error(ExitCode::kBadData, "this rank alone");
  } catch (const Error&) {
    EXPECT_EQ(script_.mapped.exchange(0), 1) << "peers may hang in a collective that uses it";
  }
  void* const lost = communicator->map(&memory, sizeof(memory));
  script_.remote_error = true;
  EXPECT_NE(error_of([&] { communicator->check("all-reduce"); }), "");
  communicator->unmap(lost);
  EXPECT_EQ(script_.mapped, 1) << "the abort took its tables along";
}

TEST_F(NcclCommunicatorTest, AbortThatBlocksIsLeftBehind) {
  auto communicator = open();
  script_.abort_blocks = true;
  script_.remote_error = true;
  const double begin_s = now_s();
  EXPECT_NE(error_of([&] { communicator->check("all-reduce"); }), "");
  communicator.reset();
  EXPECT_LT(now_s() - begin_s, 2.0);
  EXPECT_EQ(script_.destroys, 0);
  script_.abort_blocks = false;
}

TEST_F(NcclCommunicatorTest, AnExceptionOnItsWayAbortsInsteadOfWaitingForPeers) {
  script_.finalize = NcclStatus::kInProgress;
  script_.polls_in_progress = 1 << 30;
  const double begin_s = now_s();
  try {
    const auto communicator = open();
    throw Error(ExitCode::kBadData, "this rank alone");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
  }
  EXPECT_EQ(script_.aborts, 1);
  EXPECT_EQ(script_.destroys, 0);
  EXPECT_LT(now_s() - begin_s, 0.1) << "no time limit was waited for";
}

TEST_F(NcclCommunicatorTest, CloseThatHangsEndsInTime) {
  auto communicator = open();
  script_.finalize = NcclStatus::kInProgress;
  script_.polls_in_progress = 1 << 30;
  const double begin_s = now_s();
  communicator.reset();
  EXPECT_LT(now_s() - begin_s, 2.0);
  EXPECT_EQ(script_.aborts, 1);
}

}  // namespace
}  // namespace lockstep::comm
