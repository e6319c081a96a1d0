#include <lockstep/base/clock.h>
#include <lockstep/telemetry/step_recorder.h>

namespace lockstep::telemetry {

StepRecorder::StepRecorder(const std::filesystem::path& ranks_folder,
                           const records::RankHeader& header)
    : writer_(ranks_folder / records::rank_file_name(header.rank), header),
      step_start_s_(now_s()) {}

void StepRecorder::begin() {
  ledger_.take();
  counters_ = {};
  step_start_s_ = now_s();
}

const records::StepRecord& StepRecorder::end_step(std::int64_t step, std::int64_t epoch) noexcept {
  record_.step = step;
  record_.epoch = epoch;
  record_.bins_s = ledger_.take();
  const double end_s = now_s();
  record_.wall_s = end_s - step_start_s_;
  step_start_s_ = end_s;
  record_.images = counters_.images;
  record_.bytes_read = counters_.bytes_read;
  record_.comm_total_s = counters_.comm_total_s;
  record_.comm_bytes = counters_.comm_bytes;
  record_.straggler_wait_s = counters_.straggler_wait_s;
  counters_ = {};
  // Writing happens inside the next step and is booked to the bin in force then.
  writer_.write(record_);
  return record_;
}

}  // namespace lockstep::telemetry
