// Turns the ledger and the counters of a step into one line of the rank's record file. Must not
// know what a step does.
#pragma once

#include <lockstep/records/schema.h>
#include <lockstep/records/writer.h>
#include <lockstep/telemetry/ledger.h>

#include <cstdint>
#include <filesystem>

namespace lockstep::telemetry {

// What a step adds up beside its time; reset when the step ends.
struct StepCounters {
  std::int64_t images = 0;
  std::int64_t bytes_read = 0;
  double comm_total_s = 0;
  std::int64_t comm_bytes = 0;
  double straggler_wait_s = 0;
};

// Wall time is read from the clock apart from the ledger, so that a bin that was booked wrongly
// shows as a ledger that does not close.
// Thread: the training thread only.
class StepRecorder {
 public:
  // Opens `ranks_folder`/rank_NNNNN.jsonl (on a resume: records::cut_back first) and writes the
  // header. Throws: Error(kIo).
  StepRecorder(const std::filesystem::path& ranks_folder, const records::RankHeader& header);

  Ledger& ledger() { return ledger_; }
  StepCounters& counters() { return counters_; }

  // Starts the clock of the first step; time before it (start-up, probe) is booked nowhere.
  void begin();
  // Ends the step, writes its line and starts the next. `step` counts from 1. Never throws for a
  // file that cannot be written. The record holds until the next call.
  const records::StepRecord& end_step(std::int64_t step, std::int64_t epoch) noexcept;

 private:
  records::RankWriter writer_;
  Ledger ledger_;
  StepCounters counters_;
  records::StepRecord record_;
  double step_start_s_;
};

}  // namespace lockstep::telemetry
