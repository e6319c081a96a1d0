// A run around the loop: folder, epochs, evaluations, final weights, result.
#include "run_folder.h"
#include "session.h"
#include "step_log.h"
#include "trainer.h"

#include <lockstep/base/clock.h>
#include <lockstep/base/log.h>
#include <lockstep/eval/evaluator.h>
#include <lockstep/snapshot/snapshot.h>
#include <lockstep/telemetry/utilisation.h>
#include <lockstep/train/autocast.h>
#include <lockstep/train/run.h>

#include <algorithm>
#include <array>

namespace lockstep::train {
namespace {

using telemetry::Bin;
using telemetry::Span;

class Run {
 public:
  Run(Job& job, Session& session, RunFolder& folder)
      : job_(job),
        session_(session),
        settings_(job.settings),
        folder_(folder),
        log_(job, session.plan, folder),
        utilisation_(
            *job.device.backend, static_cast<int>(job.device.index), job.world.local_size()),
        trainer_(job, session, [this](const StepFigures& figures) { take(figures); }) {}

  void train() {
    try {
      take_steps();
      finish();
    } catch (const comm::AgreedError& error) {
      write_failure(error);
      throw;
    }
  }

 private:
  void take_steps() {
    const StepPlan& plan = session_.plan;
    while (trainer_.finished_steps() < plan.total_steps && !trainer_.stop_agreed()) {
      trainer_.step();
      if (trainer_.finished_steps() % plan.steps_per_epoch == 0) end_epoch();
    }
    trainer_.drain();
    totals_.wall_s = stopwatch_.elapsed_s();
    gather_utilisation();
    gather_memory();
    log_.end_steps();
  }

  // Collective.
  void gather_utilisation() {
    const telemetry::Utilisation own = utilisation_.mean();
    std::array<double, 2> sums{own.device, own.cpu_cores};
    comm::all_reduce(job_.world.control(), sums, comm::ReduceOp::kSum);
    totals_.device_utilisation = sums[0] / job_.world.size();
    totals_.cpu_cores_busy_per_rank = sums[1] / job_.world.size();
  }

  // Collective.
  void gather_memory() {
    comm::all_reduce(job_.world.control(), memory_bytes_, comm::ReduceOp::kMax);
    std::ranges::copy(memory_bytes_, totals_.memory_bytes.begin());
  }

  void take(const StepFigures& figures) {
    for (std::size_t i = 0; i < kNumMemoryPhases; ++i) {
      memory_bytes_[i] = std::max(memory_bytes_[i], figures.memory_bytes[i]);
    }
    totals_.steps = figures.step;
    totals_.epochs = figures.step / session_.plan.steps_per_epoch;
    totals_.images += figures.num_real_global;
    totals_.loss = figures.loss;
    log_.write(figures);
  }

  void end_epoch() {
    trainer_.drain();
    const std::int64_t step = trainer_.finished_steps();
    const std::int64_t epoch = step / session_.plan.steps_per_epoch;
    const std::int64_t every = settings_.eval.every_epochs;
    const bool last = step >= session_.plan.total_steps || trainer_.stop_agreed();
    if (last) return;  // finish() evaluates
    if (every > 0 && epoch % every == 0) evaluate();
    log_.release();
  }

  // The time is booked to eval in the ledger of the step that follows.
  void evaluate() {
    if (!session_.val_data) return;
    job_.position.phase = "eval";
    const Span span(trainer_.ledger(), Bin::kEval);
    const data::DatasetInfo& trained_on = session_.train_data->info();
    eval::EvaluatorOptions options;
    options.batch = settings_.eval.batch > 0 ? settings_.eval.batch : session_.plan.batch_per_rank;
    options.threads = settings_.data.threads;
    options.prefetch = settings_.data.prefetch;
    const bool verified = totals_.eval && settings_.data.verify == "first_epoch";
    options.verify = verified ? "never" : settings_.data.verify;
    options.mean = trained_on.image_mean;
    options.std = trained_on.image_std;
    options.image_size = settings_.model.image_size;
    session_.model->eval();
    const bool averaged = settings_.eval.ema && session_.optimizer->has_average();
    if (averaged) swap_average(session_);
    totals_.eval = eval::evaluate_classification(
        job_.world,
        job_.mesh.data(),
        job_.device,
        *session_.val_data,
        [this](const at::Tensor& images) {
          const AutocastScope autocast(settings_.precision.compute, images.device().type());
          return session_.model->forward(images, {});
        },
        options);
    if (averaged) swap_average(session_);
    session_.model->train();
    log_.write_eval(*totals_.eval);
  }

  void save() {
    job_.position.phase = "snapshot";
    trainer_.compare_replicas();
    snapshot::RunState state;
    state.model = session_.model.get();
    state.arena = session_.arena.get();
    state.optimizer = session_.optimizer.get();
    state.step = trainer_.finished_steps();
    state.epoch = (state.step - 1) / session_.plan.steps_per_epoch;
    if (session_.optimizer->has_average()) {
      swap_average(session_);
      if (job_.world.rank() == 0) state.averaged = session_.arena->parameters().clone();
      swap_average(session_);
    }
    state.metadata = model_metadata(settings_, session_.train_data->info());
    snapshot::save_model(job_.world, folder_.path(), state);
  }

  // A run always ends with an evaluation and the weights, also after an agreed stop.
  void finish() {
    Stopwatch watch;
    evaluate();
    totals_.eval_s = watch.lap_s();
    save();
    totals_.snapshot_s = watch.lap_s();
    totals_.status = trainer_.stop_agreed() ? "stopped" : "done";
    comm::agree(job_.world, [this] { log_.write_result(totals_); });
  }

  // Best effort: the failure itself is what the caller must hear of.
  void write_failure(const comm::AgreedError& failure) {
    totals_.status = "failed";
    totals_.exit_code = failure.code();
    totals_.wall_s = stopwatch_.elapsed_s();
    try {
      log_.write_result(totals_);
    } catch (const Error& error) {
      log::warning("{}", error.what());
    }
  }

  Job& job_;
  Session& session_;
  const Settings& settings_;
  RunFolder& folder_;
  StepLog log_;
  RunTotals totals_;
  std::array<std::int64_t, kNumMemoryPhases> memory_bytes_{};  // peaks of this rank
  Stopwatch stopwatch_;
  telemetry::UtilisationSampler utilisation_;
  Trainer trainer_;
};

}  // namespace

void run(Job& job) {
  job.position.phase = "setup";
  RunFolder folder(job);
  const std::unique_ptr<Session> session = open_session(job);
  folder.create(*session->train_data, session->val_data.get());
  Run(job, *session, folder).train();
}

}  // namespace lockstep::train
