// Makes every rank agree on every test's verdict: a failure on any rank fails the test on all.
#pragma once

#include <lockstep/comm/world.h>

#include <gtest/gtest.h>

#include <string>

namespace lockstep::test {

class VerdictListener final : public testing::EmptyTestEventListener {
 public:
  explicit VerdictListener(comm::World& world) : world_(world) {}
  void OnTestStart(const testing::TestInfo& info) override;
  void OnTestPartResult(const testing::TestPartResult& result) override;
  // Collective.
  void OnTestEnd(const testing::TestInfo& info) override;

 private:
  comm::World& world_;
  std::string failures_;
};

// Leaves only rank 0's printer, then adds the listener above.
void install_verdict_listener(comm::World& world);

// Exit code for what RUN_ALL_TESTS returned: 77 when every test that ran was skipped.
int exit_code_of_run(int result);

}  // namespace lockstep::test
