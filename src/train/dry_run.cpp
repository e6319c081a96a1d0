// What a run would do, without making its folder.
#include "memory_forecast.h"
#include "session.h"

#include <lockstep/base/format.h>
#include <lockstep/base/units.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace lockstep::train {
namespace {

std::string data_line(const char* label, const data::Dataset& dataset) {
  const data::DatasetInfo& info = dataset.info();
  return format("{:<10} {}: {} images of {} x {} x {}, {} classes{}\n",
                label,
                info.path.string(),
                info.num_samples,
                info.height,
                info.width,
                info.channels,
                info.classes.size(),
                info.has_checksums ? ", with checksums" : "");
}

std::string model_line(const Session& session) {
  std::int64_t parameters = 0;
  for (const at::Tensor& tensor : session.model->parameters()) parameters += tensor.numel();
  return format("{:<10} {} parameters in {} buckets of gradients, arena {}\n",
                "model",
                parameters,
                session.buckets.buckets.size(),
                bytes_text(static_cast<double>(session.buckets.layout.total) * 4));
}

std::string optimizer_line(const Job& job, const Session& session) {
  const bool sharded = job.settings.parallel.zero > 0;
  return format("{:<10} {}, {} of state a rank{}\n",
                "optimizer",
                job.settings.optim.name,
                bytes_text(static_cast<double>(session.optimizer->state_bytes())),
                sharded ? format(" (1/{} of it all)", job.mesh.data().size()) : "");
}

std::string plan_lines(const Job& job, const Session& session) {
  const StepPlan& plan = session.plan;
  const Settings& settings = job.settings;
  return format("{:<10} {} ranks x {} images x {} micro-batches = {} images a step\n",
                "step",
                job.mesh.data().size(),
                plan.batch_per_rank,
                settings.train.accumulate,
                plan.samples_per_step) +
         format("{:<10} {} steps an epoch, {} steps in all ({} epochs), warm-up {}\n",
                "plan",
                plan.steps_per_epoch,
                plan.total_steps,
                plan.num_epochs,
                settings.schedule.warmup_steps) +
         format("{:<10} {}, peak learning rate {}\n",
                "schedule",
                settings.schedule.name,
                plan.peak_lr);
}

std::string memory_lines(const Session& session, const MemoryForecast& forecast) {
  const auto text = [](std::int64_t bytes) { return bytes_text(static_cast<double>(bytes)); };
  return format("{:<10} {} a rank: {} in forward, {} in backward, {} in the update\n",
                "memory",
                text(forecast.peak_bytes()),
                text(forecast.peaks[0]),
                text(forecast.peaks[1]),
                text(forecast.peaks[2])) +
         format(
             "{:<10} of it {} of parameters, gradients and optimizer state, {} of images; "
             "memory.recompute = {}, micro-batches of {}\n",
             "",
             text(forecast.state_bytes),
             text(forecast.input_bytes),
             models::recompute_text(session.recompute),
             session.plan.batch_per_rank / session.parts);
}

std::string batch_line(const data::Batch& batch) {
  const auto [least, most] = std::ranges::minmax(batch.labels);
  return format("{:<10} ({}, {}, {}, {}) u8, {} real samples, labels {} to {}, {} read\n",
                "batch",
                batch.batch,
                batch.height,
                batch.width,
                batch.channels,
                batch.num_real,
                least,
                most,
                bytes_text(static_cast<double>(batch.bytes_read)));
}

}  // namespace

void dry_run(Job& job) {
  job.position.phase = "dry_run";
  const std::unique_ptr<Session> session = open_session(job);
  std::string batch;
  MemoryForecast forecast;
  comm::agree(job.world, [&] {
    const data::Batch* first = session->loader->next();
    forecast = forecast_memory(job, *session, *first);
    batch = batch_line(*first);
    session->loader->release(first, session->feeder->reusable());
  });
  if (job.world.rank() != 0) return;
  std::string text = job.resolved_ini + "\n" + data_line("train", *session->train_data);
  if (session->val_data) text += data_line("val", *session->val_data);
  text += model_line(*session) + optimizer_line(job, *session) + plan_lines(job, *session) + batch +
          memory_lines(*session, forecast);
  std::fputs(text.c_str(), stdout);
}

}  // namespace lockstep::train
