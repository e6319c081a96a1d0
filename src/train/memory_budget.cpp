#include "memory_budget.h"

#include "memory_forecast.h"
#include "memory_watch.h"

#include <lockstep/base/clock.h>
#include <lockstep/base/format.h>
#include <lockstep/base/log.h>
#include <lockstep/base/units.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>

namespace lockstep::train {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;
// Predictions are a few percent off.
constexpr double kMargin = 0.97;
constexpr std::int64_t kFew = 2;

std::string bytes_of(std::int64_t bytes) { return bytes_text(static_cast<double>(bytes)); }

// Images that cost what real ones cost.
augment::DeviceBatch blank_batch(const Job& job, std::int64_t images) {
  const models::Options& model = job.settings.model;
  const at::TensorOptions device(torch_device(job.device));
  augment::DeviceBatch batch;
  batch.images = at::zeros({images, model.in_channels, model.image_size, model.image_size}, device);
  batch.labels = at::zeros({images}, device.dtype(at::kLong));
  batch.weights = at::ones({images}, device);
  batch.sample_ids = at::arange(images, at::kLong);
  const auto& augment = job.settings.augment;
  if (augment.mixup_alpha <= 0 && augment.cutmix_alpha <= 0) return batch;
  batch.labels_b = batch.labels;
  batch.lambda = batch.weights;
  return batch;
}

class Profiler {
 public:
  Profiler(Job& job, Session& session)
      : job_(job), session_(session), batch_(session.plan.batch_per_rank) {
    MemoryWatch watch(torch_device(job.device).type(), 0);
    inputs_ = blank_batch(job, batch_);
    watch.restart();
    // Feeders keep two batches in turn.
    before_bytes_ = state_bytes(session) + 2 * watch.peak_bytes();
    limit_bytes_ = static_cast<std::int64_t>(static_cast<double>(job.settings.memory.limit_mib) *
                                             kMiB * kMargin);
  }

  // Collective.
  MemoryChoice measure(const models::RecomputePlan& plan) {
    MemoryChoice choice;
    choice.plan = plan;
    comm::agree(job_.world, [&] {
      session_.set_recompute(plan);
      find_parts(choice);
    });
    // Ranks on other processors may allocate otherwise: what fits everywhere counts.
    std::array<std::int64_t, 2> all{
        choice.parts > 0 ? choice.parts : std::numeric_limits<std::int64_t>::max(),
        choice.peak_bytes};
    comm::all_reduce(job_.world.control(), all, comm::ReduceOp::kMax);
    choice.parts = all[0] == std::numeric_limits<std::int64_t>::max() ? 0 : all[0];
    choice.peak_bytes = all[1];
    if (choice.parts > 0) time(choice);
    session_.arena->gradients().zero_();
    return choice;
  }

 private:
  void find_parts(MemoryChoice& choice) {
    const LiveCurve few = record_pass(job_, session_, inputs_, kFew);
    const LiveCurve more = record_pass(job_, session_, inputs_, kFew + 1);
    for (std::int64_t parts = 1; parts <= batch_; ++parts) {
      if (batch_ % parts != 0) continue;
      const PassPeaks pass = extrapolate(few, more, batch_ / parts);
      choice.peak_bytes = before_bytes_ + std::max(pass.forward, pass.backward);
      if (choice.peak_bytes > limit_bytes_) continue;
      choice.parts = parts;
      return;
    }
  }

  // Of the slowest rank, the better of two passes behind one to warm up.
  void time(MemoryChoice& choice) {
    std::array<double, 1> seconds{std::numeric_limits<double>::infinity()};
    comm::agree(job_.world, [&] {
      for (int turn = 0; turn < 3; ++turn) {
        const Stopwatch watch;
        record_pass(job_, session_, inputs_, batch_ / choice.parts);
        job_.device.backend->synchronize(job_.device.backend->compute_stream());
        if (turn > 0) seconds[0] = std::min(seconds[0], watch.elapsed_s());
      }
    });
    comm::all_reduce(job_.world.control(), seconds, comm::ReduceOp::kMax);
    choice.images_per_s =
        static_cast<double>(batch_) / (seconds[0] * static_cast<double>(choice.parts));
  }

  Job& job_;
  Session& session_;
  std::int64_t batch_;
  augment::DeviceBatch inputs_;
  std::int64_t before_bytes_ = 0;
  std::int64_t limit_bytes_ = 0;
};

}  // namespace

std::vector<models::RecomputePlan> candidate_plans(std::int64_t depth) {
  std::vector<models::RecomputePlan> plans{{},
                                           {.gelu = true},
                                           {.mlp = true},
                                           {.attention = true},
                                           {.attention = true, .gelu = true},
                                           {.attention = true, .mlp = true}};
  for (std::int64_t every = 1; every < depth && every <= 4; ++every)
    plans.push_back({.every = every});
  return plans;
}

std::int64_t fastest(std::span<const MemoryChoice> choices) {
  std::int64_t best = -1;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (choices[i].parts == 0) continue;
    if (best < 0 ||
        choices[i].images_per_s > choices[static_cast<std::size_t>(best)].images_per_s) {
      best = static_cast<std::int64_t>(i);
    }
  }
  return best;
}

std::string frontier_text(std::span<const MemoryChoice> choices, std::int64_t batch_per_rank) {
  const std::int64_t best = fastest(choices);
  std::string text;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const MemoryChoice& choice = choices[i];
    text += format("\n  {:<24} ", models::recompute_text(choice.plan));
    if (choice.parts == 0) {
      text += format("{} for one image: does not fit", bytes_of(choice.peak_bytes));
      continue;
    }
    text += format("{} x {} images, {}, {} images/s a rank{}",
                   choice.parts,
                   batch_per_rank / choice.parts,
                   bytes_of(choice.peak_bytes),
                   count_text(choice.images_per_s),
                   static_cast<std::int64_t>(i) == best ? "  <- chosen" : "");
  }
  return text;
}

void choose_within_budget(Job& job, Session& session) {
  if (job.settings.memory.recompute != kBudget) return;
  Profiler profiler(job, session);
  std::vector<MemoryChoice> choices;
  for (const models::RecomputePlan& plan : candidate_plans(job.settings.model.depth)) {
    choices.push_back(profiler.measure(plan));
  }
  const std::int64_t best = fastest(choices);
  comm::agree(job.world, [&] {
    if (best >= 0) return;
    const auto least = std::ranges::min_element(choices, {}, &MemoryChoice::peak_bytes);
    throw config_error(format(
        "memory.limit_mib = {} is less than one image needs: {} with "
        "memory.recompute = {}, of them {} for parameters, gradients and "
        "optimizer state",
        job.settings.memory.limit_mib,
        bytes_of(static_cast<std::int64_t>(static_cast<double>(least->peak_bytes) / kMargin)),
        models::recompute_text(least->plan),
        bytes_of(state_bytes(session))));
  });
  const MemoryChoice& chosen = choices[static_cast<std::size_t>(best)];
  session.set_recompute(chosen.plan);
  session.parts = chosen.parts;
  if (job.world.rank() != 0) return;
  log::info("memory.recompute = budget within {} MiB:{}",
            job.settings.memory.limit_mib,
            frontier_text(choices, session.plan.batch_per_rank));
}

}  // namespace lockstep::train
