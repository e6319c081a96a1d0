#include "rehearsal.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/log.h>
#include <lockstep/base/units.h>
#include <lockstep/models/classification.h>
#include <lockstep/parallel/bucket_tuner.h>
#include <lockstep/train/autocast.h>

#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>

namespace lockstep::train {
namespace {

constexpr std::int64_t kProbeBatch = 2;
constexpr auto kPollPause = std::chrono::microseconds(50);

at::Tensor blank_loss(Job& job, Session& session, std::int64_t batch) {
  const models::Options& model = job.settings.model;
  const at::TensorOptions on_device(torch_device(job.device));
  const at::Tensor images =
      at::zeros({batch, model.in_channels, model.image_size, model.image_size}, on_device);
  const at::Tensor zeros = at::zeros({batch}, on_device.dtype(at::kLong));
  const models::ForwardContext context{0, 0, at::zeros({batch}, at::kLong)};
  const at::Tensor logits = session.model->forward(images, context);
  const at::Tensor weights = at::ones({batch}, on_device);
  return models::cross_entropy(logits, zeros, weights, static_cast<double>(batch), 0.0).loss;
}

// Polls: a device that waits for a lost peer never gets there, and only the works know.
void wait_for_device(Job& job, parallel::Reducer& reducer) {
  gpu::Backend& backend = *job.device.backend;
  const auto reached = backend.make_event(false);
  reached->record(backend.compute_stream());
  while (!reached->done()) {
    reducer.check();
    std::this_thread::sleep_for(kPollPause);
  }
}

// Forward, backward and all communication of a step, on this rank's micro-batch.
void rehearse_step(Job& job, Session& session) {
  std::optional<Error> failure;
  try {
    at::Tensor loss;
    {
      const AutocastScope autocast(job.settings.precision.compute, torch_device(job.device).type());
      loss = blank_loss(job, session, session.plan.batch_per_rank);
    }
    session.reducer->begin_micro(true);
    loss.backward();
  } catch (...) {
    failure = current_error();
    session.reducer->abandon(kBadFlag);
  }
  session.reducer->finalize(nullptr);
  session.reducer->gather_parameters(nullptr);
  session.arena->gradients().zero_();
  wait_for_device(job, *session.reducer);
  comm::agree(job.world, [&failure] {
    if (failure) throw *failure;
  });
}

void log_trials(const std::vector<parallel::BucketTrial>& trials, std::size_t best) {
  std::string text;
  for (const parallel::BucketTrial& trial : trials) {
    text += format("{}{}: {:.2f} ms",
                   text.empty() ? "" : ", ",
                   bytes_text(static_cast<double>(trial.bucket_bytes)),
                   trial.seconds * 1e3);
  }
  log::info("comm.bucket_mib = auto: buckets of {} ({} of them); a step with {}",
            bytes_text(static_cast<double>(trials[best].bucket_bytes)),
            trials[best].plan.buckets.size(),
            text);
}

}  // namespace

std::int64_t bucket_bytes(double mib) { return static_cast<std::int64_t>(mib * 1024 * 1024); }

std::vector<std::int64_t> rehearse_order(Job& job,
                                         Session& session,
                                         const std::vector<optim::NamedParameter>& parameters) {
  session.model->eval();
  auto order = parallel::probe_backward_order(
      job.world, parameters, [&] { return blank_loss(job, session, kProbeBatch); });
  session.model->train();
  return order;
}

void rehearse_buckets(Job& job, Session& session) {
  const comm::Options& options = job.settings.comm;
  if (options.bucket_mib || job.mesh.data().size() == 1) return;
  auto trials = parallel::plan_trials(session.buckets, bucket_bytes(options.first_bucket_mib));
  const std::size_t best = parallel::tune_buckets(
      job.world, *session.reducer, trials, [&] { rehearse_step(job, session); });
  if (job.world.rank() == 0 && trials.size() > 1) log_trials(trials, best);
  session.buckets = trials[best].plan;
}

}  // namespace lockstep::train
