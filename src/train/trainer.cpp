// The life of a step, top to bottom: step -> micro_step -> forward, then the books.
#include "trainer.h"

#include "memory_forecast.h"
#include "memory_limit.h"
#include "memory_shrink.h"
#include "micro_forward.h"

#include <lockstep/base/clock.h>
#include <lockstep/base/format.h>
#include <lockstep/base/log.h>
#include <lockstep/parallel/digest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

namespace lockstep::train {

using telemetry::Bin;
using telemetry::Span;

namespace {

// Steps in a row whose update was skipped for a non-finite gradient before the run is given up.
constexpr int kMaxSkippedInARow = 5;
// Short beside a step, long beside a look at the device.
constexpr auto kPollPause = std::chrono::microseconds(50);

}  // namespace

Trainer::Trainer(Job& job, Session& session, std::function<void(const StepFigures&)> on_step)
    : job_(job),
      session_(session),
      settings_(job.settings),
      reads_late_(job.device.is_cuda()),
      on_step_(std::move(on_step)),
      readback_(*job.device.backend),
      memory_(torch_device(job.device).type(), state_bytes(session)),
      ledger_(telemetry::make_ledger(*job.device.backend)),
      begin_s_(now_s()) {
  if (settings_.run.determinism == "world") tree_.emplace(session.arena->gradients());
}

void Trainer::step() {
  job_.position = {"step", ++step_};
  do {
    retry_ = false;
    attempt();
  } while (retry_);
}

void Trainer::attempt() {
  memory_.restart();
  if (tree_) tree_->restart();
  if (skipped_in_a_row_ > 0) probe_ = std::make_unique<models::OverflowProbe>();
  // On CUDA the failure of the step before is agreed on in this one: nothing but flags goes out.
  if (local_error_) session_.reducer->abandon(kBadFlag);
  for (std::int64_t micro = 0; micro < settings_.train.accumulate && !local_error_; ++micro) {
    try {
      micro_step(micro);
    } catch (...) {
      // Peers wait for our buckets: issue them all, flagged, so that every rank drops this step.
      local_error_ = current_error();
      session_.reducer->abandon(kBadFlag);
    }
  }
  // Buckets were reduced while backward went on; wait for the rest.
  session_.reducer->finalize(ledger_.get());
  // The host reads a device's figures one step late, so that the device has work meanwhile, and
  // before the update, so that nothing follows on a step that was dropped.
  if (!under_way_.empty()) read_figures();
  update();
  const std::int64_t every = settings_.parallel.digest_every;
  if (every > 0 && step_ % every == 0) compare_replicas();
  end_memory_phase(MemoryPhase::kUpdate);
  book_step();
  if (!reads_late_) read_figures();
}

void Trainer::micro_step(std::int64_t micro) {
  const data::Batch* batch = next_batch();
  figures_.epoch = batch->epoch;
  figures_.num_real_global = batch->num_real_global;
  figures_.images += batch->num_real;
  figures_.bytes_read += batch->bytes_read;
  const augment::DeviceBatch inputs = feed(batch);
  const bool last = micro + 1 == settings_.train.accumulate;
  if (session_.parts == 1) return pass(inputs, last);
  for (std::int64_t part = 0; part < session_.parts; ++part) {
    pass(part_of(inputs, part, session_.parts), last && part + 1 == session_.parts);
  }
}

// Forward and backward; `last` of the step.
void Trainer::pass(const augment::DeviceBatch& inputs, bool last) {
  // Here alone a rank may fail and the others go on.
  const MemoryLimit limit(memory_, reads_late_ ? 0 : settings_.memory.limit_mib << 20);
  at::Tensor loss;  // scalar
  {
    const Span span(*ledger_, Bin::kForward);
    loss = forward(inputs, static_cast<double>(figures_.num_real_global), last);
  }
  end_memory_phase(MemoryPhase::kForward);
  const Span span(*ledger_, Bin::kBackward);
  // Only the last micro-batch communicates; the ones before add up in the arena.
  session_.reducer->begin_micro(last && !tree_);
  loss.backward();
  loss.reset();  // freeing what forward kept is part of backward
  end_memory_phase(MemoryPhase::kBackward);
  if (!tree_) return;
  tree_->fold(last);
  if (last) session_.reducer->begin_micro(true);  // all buckets go out in finalize()
}

const data::Batch* Trainer::next_batch() {
  const Span span(*ledger_, Bin::kDataWait);
  const data::Batch* batch = session_.loader->next();
  LOCKSTEP_CHECK(batch != nullptr, "the loader ended before the run");
  return batch;
}

// The slab goes back to the ring: `batch` must not be used afterwards.
augment::DeviceBatch Trainer::feed(const data::Batch* batch) {
  const Span span(*ledger_, Bin::kHostToDevice);
  const augment::DeviceBatch inputs = session_.feeder->feed(*batch);
  session_.loader->release(batch, session_.feeder->reusable());
  return inputs;
}

// The loss of one micro-batch, scaled for fp16; its share of the global mean goes into the stats
// slots, which travel with the last bucket.
at::Tensor Trainer::forward(const augment::DeviceBatch& inputs, double num_real_global, bool last) {
  const models::OverflowProbe::Scope watched(probe_.get());
  const at::Tensor logits = forward_model(*session_.model, settings_, inputs, step_);  // (B, K)
  const models::ClassificationLoss result = loss_of(settings_, logits, inputs, num_real_global);
  if (probe_) probe_->watch("the loss", result.loss);
  at::Tensor stats = session_.arena->stats();
  stats.select(0, kLossSum).add_(result.loss_sum);
  if (last && out_of_time()) stats.select(0, kStopFlag).add_(1.0);
  if (settings_.precision.compute != "fp16") return result.loss;
  return result.loss * session_.optimizer->loss_scale();
}

void Trainer::update() {
  const Span span(*ledger_, Bin::kOptimizer);
  const gpu::StreamHandle stream = job_.device.backend->compute_stream();
  readback_.push(step_, session_.arena->stats(), stream);  // the update clears them
  session_.optimizer->update(
      {step_, learning_rate(), static_cast<double>(figures_.num_real_global), kLossSum});
  session_.reducer->gather_parameters(ledger_.get());  // each rank updated its own
  readback_.close(stream);
}

void Trainer::compare_replicas() {
  if (settings_.parallel.digest_every == 0 || job_.world.size() == 1) return;
  parallel::compare_digests(
      job_.world, parallel::replicated_state(*session_.arena, *session_.optimizer), step_);
}

double Trainer::learning_rate() const {
  const StepPlan& plan = session_.plan;
  return optim::learning_rate(plan.peak_lr, settings_.schedule, step_, plan.total_steps);
}

bool Trainer::out_of_time() const {
  return settings_.run.max_seconds > 0 && now_s() - begin_s_ > settings_.run.max_seconds;
}

// What is live now counts for the next phase too.
void Trainer::end_memory_phase(MemoryPhase phase) {
  std::int64_t& peak = figures_.memory_bytes[static_cast<std::size_t>(phase)];
  peak = std::max(peak, memory_.peak_bytes());
  memory_.restart();
}

// Closes the ledger of this step; the figures that come from the device follow later.
void Trainer::book_step() {
  figures_.step = step_;
  figures_.lr = learning_rate();
  const parallel::ReducerCounters counters = session_.reducer->take_counters();
  figures_.comm_total_s = counters.comm_total_s;
  figures_.comm_bytes = counters.comm_bytes;
  ledger_->close_step();
  under_way_.push_back(figures_);
  probes_.push_back(std::move(probe_));
  figures_ = StepFigures{};
}

// Completes the oldest step under way. Every rank reads the same step here and sees the same sums,
// so what follows from them needs no further agreement.
void Trainer::read_figures() {
  const StepStats stats = wait_for_stats();
  StepFigures figures = under_way_.front();
  under_way_.pop_front();
  const std::unique_ptr<models::OverflowProbe> probe = std::move(probes_.front());
  probes_.pop_front();
  LOCKSTEP_CHECK(stats.step == figures.step, "step figures out of order");
  if (stats.values[kBadFlag] > 0) {
    if (make_room(figures.step)) return;
    drop_out(figures.step);
  }
  if (stats.values[kStopFlag] > 0) stop_agreed_ = true;
  // Steps that were enqueued since updated too.
  const optim::UpdateReport report =
      session_.optimizer->report(static_cast<std::int64_t>(under_way_.size()));
  const telemetry::StepTimes times = ledger_->read_step();
  figures.seconds = times.seconds;
  figures.wall_s = times.wall_s;
  figures.loss = static_cast<double>(stats.values[kLossSum]) /
                 static_cast<double>(std::max<std::int64_t>(1, figures.num_real_global));
  figures.grad_norm = report.grad_norm;
  figures.loss_scale = report.loss_scale;
  figures.skipped = report.skipped;
  figures.spike = report.spike;
  on_step_(figures);
  watch_divergence(figures, probe.get());
}

// Polls: a device that waits for a lost peer never gets there, and only the works know.
StepStats Trainer::wait_for_stats() {
  while (!readback_.ended()) {
    session_.reducer->check();
    std::this_thread::sleep_for(kPollPause);
  }
  return readback_.pop();
}

void Trainer::drain() {
  while (!under_way_.empty()) read_figures();
}

// Some rank failed inside `step`, and nothing was updated. When all that failed was memory, and
// less of it will do, the step is done again; alike on all ranks. Collective.
bool Trainer::make_room(std::int64_t step) {
  if (settings_.memory.on_oom != "shrink") return false;
  const bool memory = local_error_ && local_error_->code() == ExitCode::kOutOfMemory;
  std::array<std::int64_t, 1> other{local_error_ && !memory ? 1 : 0};
  comm::all_reduce(job_.world.control(), other, comm::ReduceOp::kMax);
  if (other[0] != 0 || !shrink(session_, settings_.model.depth)) return false;
  local_error_.reset();
  static_cast<void>(ledger_->read_step());  // what was dropped is in no record
  restart_loader(job_, session_, step);
  retry_ = true;
  if (job_.world.rank() != 0) return true;
  log::warning(
      "step {} ran out of memory and is done again with micro-batches of {} and "
      "memory.recompute = {}",
      step,
      session_.plan.batch_per_rank / session_.parts,
      models::recompute_text(session_.recompute));
  return true;
}

// Some rank failed inside `step`: all leave with its words.
void Trainer::drop_out(std::int64_t step) {
  job_.position.step = step;
  comm::agree(job_.world, [this] {
    if (local_error_) throw *local_error_;
  });
  throw internal_error("a step was flagged bad, but no rank reports an error");
}

void Trainer::watch_divergence(const StepFigures& figures, const models::OverflowProbe* probe) {
  // fp16 skips steps by design until the loss scale has come down.
  const std::string& compute = settings_.precision.compute;
  const bool settling = compute == "fp16" && figures.loss_scale > 1;
  const bool diverged = figures.skipped && !figures.spike && !settling;
  skipped_in_a_row_ = diverged ? skipped_in_a_row_ + 1 : 0;
  if (skipped_in_a_row_ < kMaxSkippedInARow) return;
  const char* const keep =
      compute == "fp32" ? "" : ", or keep that layer in precision.fp32_modules";
  throw comm::AgreedError(
      {ExitCode::kDiverged,
       0,
       format("{} steps in a row had a non-finite gradient (loss {} at step {}{}): lower optim.lr "
              "or set optim.clip_norm{}",
              kMaxSkippedInARow,
              figures.loss,
              figures.step,
              first_overflow(probe),
              keep)});
}

// As the lowest rank saw it that saw any. Collective: a rank that cannot look says nothing.
std::string Trainer::first_overflow(const models::OverflowProbe* probe) const {
  std::string own;
  try {
    if (probe != nullptr) own = probe->first();
  } catch (...) {
    own.clear();
  }
  const std::vector<std::string> all = comm::all_gather_text(job_.world.control(), own);
  const auto found = std::ranges::find_if(all, [](const auto& text) { return !text.empty(); });
  return found == all.end() ? "" : format(", first in {} on rank {}", *found, found - all.begin());
}

}  // namespace lockstep::train
