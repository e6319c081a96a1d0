// What a run says about itself: the progress line, metrics.jsonl, this rank's ledger, result.json.
// docs/reports.md defines every figure.
#pragma once

#include "run_folder.h"
#include "session.h"
#include "step_figures.h"

#include <lockstep/base/error.h>
#include <lockstep/eval/evaluator.h>
#include <lockstep/records/writer.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace lockstep::train {

// What a run came to, for result.json.
struct RunTotals {
  std::string status;  // "done", "stopped", "failed"
  std::int64_t steps = 0;
  std::int64_t epochs = 0;  // finished ones
  std::int64_t images = 0;
  double wall_s = 0;  // first to last step, evaluations between steps included
  double loss = 0;    // of the last step
  // The last evaluation and the saving of the weights: after the steps, so in no line of the
  // ledger.
  double eval_s = 0;
  double snapshot_s = 0;
  // Means over the ranks from the first step to the last; unknown in runs of under a second and in
  // those that failed.
  double device_utilisation = records::kUnknown;
  double cpu_cores_busy_per_rank = records::kUnknown;
  // Peaks by phase, maximum over steps and ranks; unknown in runs that failed.
  std::array<double, kNumMemoryPhases> memory_bytes{
      records::kUnknown, records::kUnknown, records::kUnknown};
  std::optional<eval::ClassificationResult> eval;
  ExitCode exit_code = ExitCode::kDone;
};

// What model.safetensors carries about the model, so that `eval` needs no configuration: the
// [model] settings as model.<key>, class names, normalisation of the training set, and the
// precision.
std::map<std::string, std::string> model_metadata(const Settings& settings,
                                                  const data::DatasetInfo& info);

class StepLog {
 public:
  // Collective: opens this rank's files. Throws: AgreedError(kIo).
  StepLog(Job& job, const StepPlan& plan, RunFolder& folder);
  // Every step goes to this rank's ledger; every log_every-th and every epoch's last one also to
  // the terminal and to metrics.jsonl. The line of an epoch's last step is held back until
  // write_eval() or release() follows. Collective at steps that are logged.
  void write(const StepFigures& figures);
  void write_eval(const eval::ClassificationResult& result);
  void release();
  // After the last step: logs it when it was not. Collective.
  void end_steps();
  // Rank 0 writes result.json and says the final figures. Throws on rank 0: Error(kIo).
  void write_result(const RunTotals& totals);

 private:
  // Sums since the last logged step.
  struct Window {
    double begin_s = 0;
    std::int64_t steps = 0;
    std::int64_t images = 0;  // of all ranks
    std::int64_t memory_peak_bytes = 0;
    std::array<double, telemetry::kNumBins> seconds{};
  };

  void write_ledger(const StepFigures& figures);
  void log_step(const StepFigures& figures);
  void print_line(const StepFigures& figures, const records::MetricsRecord& record) const;
  records::MetricsRecord make_record(const StepFigures& figures);

  Job& job_;
  StepPlan plan_;
  RunFolder& folder_;
  std::unique_ptr<records::RankWriter> ledger_;
  std::unique_ptr<records::MetricsWriter> metrics_;  // rank 0
  std::optional<records::MetricsRecord> held_;
  StepFigures last_;
  Window window_;
  double begin_s_;
};

}  // namespace lockstep::train
