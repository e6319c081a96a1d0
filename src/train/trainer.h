// The loop over steps. Composes data, models, parallel and optim; owns nothing else but the watch
// on the allocators' peaks.
#pragma once

#include "memory_watch.h"
#include "readback.h"
#include "session.h"
#include "step_figures.h"
#include "tree_sum.h"

#include <lockstep/base/error.h>
#include <lockstep/models/overflow_probe.h>
#include <lockstep/telemetry/device_ledger.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace lockstep::train {

class Trainer {
 public:
  // `on_step` receives every finished step in order, on all ranks alike; on CUDA one step late.
  Trainer(Job& job, Session& session, std::function<void(const StepFigures&)> on_step);

  // One update of the weights. Collective. Throws: AgreedError on all ranks when any failed in it,
  // or when the run diverged (kDiverged).
  void step();
  // Reads what is still under way. Collective in effect: all ranks see the same figures.
  void drain();

  // Unless parallel.digest_every is 0. Collective. Throws: AgreedError(kDiverged) when ranks do not
  // hold the same parameters and optimizer state any more.
  void compare_replicas();

  std::int64_t finished_steps() const { return step_; }
  bool stop_agreed() const { return stop_agreed_; }
  telemetry::Ledger& ledger() { return *ledger_; }

 private:
  void attempt();
  void micro_step(std::int64_t micro);
  void pass(const augment::DeviceBatch& inputs, bool last);
  const data::Batch* next_batch();
  augment::DeviceBatch feed(const data::Batch* batch);
  at::Tensor forward(const augment::DeviceBatch& inputs, double num_real_global, bool last);
  double learning_rate() const;
  bool out_of_time() const;
  void update();
  void end_memory_phase(MemoryPhase phase);
  void book_step();
  void read_figures();
  StepStats wait_for_stats();
  bool make_room(std::int64_t step);
  [[noreturn]] void drop_out(std::int64_t step);
  void watch_divergence(const StepFigures& figures, const models::OverflowProbe* probe);
  std::string first_overflow(const models::OverflowProbe* probe) const;

  Job& job_;
  Session& session_;
  const Settings& settings_;
  bool reads_late_;  // the figures of a step are read in the next one: on CUDA
  std::function<void(const StepFigures&)> on_step_;
  Readback readback_;
  MemoryWatch memory_;
  std::unique_ptr<telemetry::Ledger> ledger_;
  std::optional<TreeSum> tree_;  // with run.determinism = world
  std::int64_t step_ = 0;        // the step under way, from 1
  StepFigures figures_;
  std::unique_ptr<models::OverflowProbe> probe_;  // of a step that follows on a skipped one
  std::deque<StepFigures> under_way_;
  std::deque<std::unique_ptr<models::OverflowProbe>> probes_;  // of the steps under way
  std::optional<Error> local_error_;
  bool retry_ = false;  // the step was dropped for want of memory and is done again
  bool stop_agreed_ = false;
  int skipped_in_a_row_ = 0;
  double begin_s_;
};

}  // namespace lockstep::train
