#include "verdict_listener.h"

#include <lockstep/base/format.h>

#include <span>

namespace lockstep::test {

void VerdictListener::OnTestStart(const testing::TestInfo& /*info*/) { failures_.clear(); }

void VerdictListener::OnTestPartResult(const testing::TestPartResult& result) {
  if (!result.failed()) return;
  const char* file = result.file_name() == nullptr ? "unknown file" : result.file_name();
  failures_ += format("{}:{}: {}\n", file, result.line_number(), result.message());
}

void VerdictListener::OnTestEnd(const testing::TestInfo& info) {
  std::int64_t lowest = info.result()->Failed() ? world_.rank() : world_.size();
  comm::all_reduce(world_.control(), std::span(&lowest, 1), comm::ReduceOp::kMin);
  if (lowest == world_.size()) return;
  const std::string words =
      comm::broadcast_text(world_.control(), failures_, static_cast<int>(lowest));
  if (lowest != world_.rank()) ADD_FAILURE() << "failed on rank " << lowest << ":\n" << words;
}

void install_verdict_listener(comm::World& world) {
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  if (world.rank() != 0) delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new VerdictListener(world));
}

int exit_code_of_run(int result) {
  const testing::UnitTest& run = *testing::UnitTest::GetInstance();
  const int ran = run.test_to_run_count();
  if (result == 0 && ran > 0 && run.skipped_test_count() == ran) return 77;
  return result;
}

}  // namespace lockstep::test
