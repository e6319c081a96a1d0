#include "step_log.h"

#include <lockstep/base/clock.h>
#include <lockstep/base/format.h>
#include <lockstep/base/log.h>
#include <lockstep/base/option.h>
#include <lockstep/base/process.h>
#include <lockstep/base/units.h>
#include <lockstep/base/version.h>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace lockstep::train {
namespace {

using telemetry::Bin;

const char* skip_text(const StepFigures& figures) {
  if (!figures.skipped) return "";
  return figures.spike ? " | skipped: spike" : " | skipped: gradient or loss not finite";
}

double seconds_in(const std::array<double, telemetry::kNumBins>& seconds, Bin bin) {
  return seconds[static_cast<std::size_t>(bin)];
}

std::string device_text(const comm::Device& device) {
  if (!device.is_cuda()) return "cpu";
  return format("cuda:{} {}", device.index, device.backend->info(device.index).name);
}

records::RankHeader make_header(const Job& job) {
  records::RankHeader header;
  header.rank = job.world.rank();
  header.world_size = job.world.size();
  header.host = host_name();
  header.pid = getpid();
  header.device = device_text(job.device);
  header.build_id = build_info().build_id;
  header.start_time = utc_text(std::time(nullptr));
  return header;
}

records::EvalFigures eval_figures(const eval::ClassificationResult& result) {
  return {{"top1", result.top1}, {"top5", result.top5}, {"loss", result.loss}};
}

}  // namespace

std::map<std::string, std::string> model_metadata(const Settings& settings,
                                                  const data::DatasetInfo& info) {
  models::Options model = settings.model;
  OptionTable table;
  models::bind_options(table, model);
  std::map<std::string, std::string> metadata{{"format", "pt"}};
  for (const Option& option : table.options()) metadata[option.name()] = option.get();
  metadata["classes"] = nlohmann::json(info.classes).dump();
  metadata["image_mean"] = nlohmann::json(info.image_mean).dump();
  metadata["image_std"] = nlohmann::json(info.image_std).dump();
  metadata["precision.compute"] = settings.precision.compute;
  metadata["precision.fp32_modules"] = settings.precision.fp32_modules;
  return metadata;
}

StepLog::StepLog(Job& job, const StepPlan& plan, RunFolder& folder)
    : job_(job), plan_(plan), folder_(folder), begin_s_(now_s()) {
  comm::agree(job.world, [this] {
    ledger_ = std::make_unique<records::RankWriter>(folder_.rank_file(), make_header(job_));
    if (job_.world.rank() == 0) {
      metrics_ = std::make_unique<records::MetricsWriter>(folder_.path() / "metrics.jsonl");
    }
  });
  window_.begin_s = now_s();
}

void StepLog::write(const StepFigures& figures) {
  write_ledger(figures);
  last_ = figures;
  ++window_.steps;
  window_.images += figures.num_real_global;
  window_.memory_peak_bytes = std::max(window_.memory_peak_bytes, figures.memory_peak_bytes());
  for (std::size_t bin = 0; bin < telemetry::kNumBins; ++bin) {
    window_.seconds[bin] += figures.seconds[bin];
  }
  const bool closes_epoch =
      figures.step % plan_.steps_per_epoch == 0 || figures.step == plan_.total_steps;
  const std::int64_t every = std::max<std::int64_t>(1, job_.settings.telemetry.log_every);
  if (!closes_epoch && figures.step % every != 0) return;
  log_step(figures);
  if (!closes_epoch) release();
}

void StepLog::write_ledger(const StepFigures& figures) {
  records::StepRecord record;
  record.step = figures.step;
  record.epoch = figures.epoch;
  record.bins_s = figures.seconds;
  record.wall_s = figures.wall_s;
  record.images = figures.images;
  record.bytes_read = figures.bytes_read;
  record.comm_total_s = figures.comm_total_s;
  record.comm_bytes = figures.comm_bytes;
  record.memory_bytes = figures.memory_bytes;
  ledger_->write(record);
}

void StepLog::log_step(const StepFigures& figures) {
  std::array<std::int64_t, 1> peak{window_.memory_peak_bytes};
  comm::all_reduce(job_.world.control(), peak, comm::ReduceOp::kMax);
  window_.memory_peak_bytes = peak[0];
  held_ = make_record(figures);
  if (job_.world.rank() == 0) print_line(figures, *held_);
  window_ = Window{};
  window_.begin_s = now_s();
}

records::MetricsRecord StepLog::make_record(const StepFigures& figures) {
  const double elapsed_s = std::max(1e-9, now_s() - window_.begin_s);
  const auto steps = static_cast<double>(window_.steps);
  records::MetricsRecord record;
  record.step = figures.step;
  record.epoch = figures.epoch;
  record.loss = figures.loss;
  record.lr = figures.lr;
  record.grad_norm = figures.grad_norm;
  record.loss_scale = figures.loss_scale;
  record.images_per_s = static_cast<double>(window_.images) / elapsed_s;
  record.images_per_s_per_rank = record.images_per_s / job_.world.size();
  record.step_ms = elapsed_s / steps * 1e3;
  record.data_wait_ms = seconds_in(window_.seconds, Bin::kDataWait) / steps * 1e3;
  record.comm_exposed_ms = seconds_in(window_.seconds, Bin::kCommExposed) / steps * 1e3;
  record.memory_peak_bytes = window_.memory_peak_bytes;
  return record;
}

void StepLog::print_line(const StepFigures& figures, const records::MetricsRecord& record) const {
  const double done_s = now_s() - begin_s_;
  const double left_s = done_s / static_cast<double>(figures.step) *
                        static_cast<double>(plan_.total_steps - figures.step);
  log::info(
      "epoch {}/{} step {}/{} loss {:.4f} lr {:.2e} norm {:.3f} | {} img/s ({}/rank) {:.1f} ms | "
      "data {:.1f} % comm {:.1f} % | {} | {} left{}",
      figures.epoch + 1,
      plan_.num_epochs,
      figures.step,
      plan_.total_steps,
      figures.loss,
      figures.lr,
      figures.grad_norm,
      count_text(record.images_per_s),
      count_text(record.images_per_s_per_rank),
      record.step_ms,
      record.data_wait_ms / record.step_ms * 100,
      record.comm_exposed_ms / record.step_ms * 100,
      bytes_text(static_cast<double>(record.memory_peak_bytes)),
      duration_text(left_s),
      skip_text(figures));
}

void StepLog::write_eval(const eval::ClassificationResult& result) {
  if (job_.world.rank() == 0) {
    log::info("eval: top-1 {:.2f} %, top-5 {:.2f} %, loss {:.4f} on {} images",
              result.top1 * 100,
              result.top5 * 100,
              result.loss,
              result.num_samples);
  }
  if (held_) held_->eval = eval_figures(result);
  release();
  window_.begin_s = now_s();
}

void StepLog::release() {
  if (held_ && metrics_) metrics_->write(*held_);
  held_.reset();
}

void StepLog::end_steps() {
  // A run that stops early ends between two logged steps.
  if (window_.steps > 0) log_step(last_);
}

void StepLog::write_result(const RunTotals& totals) {
  release();
  if (job_.world.rank() != 0) return;
  records::RunResult record;
  record.status = totals.status;
  record.steps = totals.steps;
  record.epochs = totals.epochs;
  record.images = totals.images;
  record.wall_s = totals.wall_s;
  record.images_per_s = static_cast<double>(totals.images) / std::max(1e-9, totals.wall_s);
  record.loss = totals.loss;
  if (totals.eval) record.eval = eval_figures(*totals.eval);
  record.exit_code = static_cast<std::int64_t>(totals.exit_code);
  record.world_size = job_.world.size();
  record.more = {{"eval_s", totals.eval_s},
                 {"snapshot_s", totals.snapshot_s},
                 {"device_utilisation", totals.device_utilisation},
                 {"cpu_cores_busy_per_rank", totals.cpu_cores_busy_per_rank}};
  for (std::size_t phase = 0; phase < kNumMemoryPhases; ++phase) {
    record.more.emplace_back(records::kMemoryKeys[phase], totals.memory_bytes[phase]);
  }
  record.more.emplace_back("memory_peak_bytes", std::ranges::max(totals.memory_bytes));
  records::write_result(folder_.path() / "result.json", record);
  log::info("{}: {} steps, {} images in {}, {} img/s; files in {}",
            totals.status,
            totals.steps,
            totals.images,
            duration_text(totals.wall_s),
            count_text(record.images_per_s),
            folder_.path().string());
}

}  // namespace lockstep::train
