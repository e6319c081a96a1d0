// What a run says about itself: the progress line, metrics.jsonl, this rank's ledger, result.json.
// docs/reports.md defines every figure.
#pragma once

#include "run_folder.h"
#include "session.h"
#include "step_figures.h"

#include <lockstep/eval/evaluator.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace lockstep::train {

struct RunTotals {
  std::string status;  // "finished", "stopped"
  std::int64_t steps = 0;
  double epochs = 0;
  std::int64_t images = 0;
  double wall_s = 0;
  double loss = 0;
  std::filesystem::path weights;
};

// What model.safetensors carries about the model, so that `eval` needs no configuration.
std::map<std::string, std::string> model_metadata(const Settings& settings,
                                                  const data::DatasetInfo& info);

class StepLog {
 public:
  // Collective: opens this rank's files. Throws: AgreedError(kIo).
  StepLog(Job& job, const StepPlan& plan, RunFolder& folder);
  ~StepLog();
  // Collective at steps that are logged (the ranks' memory peaks are compared).
  void write(const StepFigures& figures);
  void write_eval(std::int64_t step, const eval::ClassificationResult& result);
  // Collective. Rank 0 writes result.json.
  void write_result(const RunTotals& totals,
                    const std::optional<eval::ClassificationResult>& result);
  RunFolder& folder() { return folder_; }

 private:
  struct Files;
  void print_line(const StepFigures& figures);

  Job& job_;
  StepPlan plan_;
  RunFolder& folder_;
  std::unique_ptr<Files> files_;
  double window_begin_s_;
  std::int64_t window_images_ = 0;
  std::int64_t window_steps_ = 0;
  std::int64_t window_peak_bytes_ = 0;
  std::array<double, telemetry::kNumBins> window_seconds_{};
  std::int64_t images_ = 0;
  double begin_s_;
};

}  // namespace lockstep::train
