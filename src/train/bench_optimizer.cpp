// The update of a model's arena alone, timed in blocks.
#include "session.h"

#include <lockstep/base/clock.h>
#include <lockstep/parallel/bucket_plan.h>
#include <lockstep/train/run.h>

#include <ATen/ops/randn_like.h>

#include <numeric>

namespace lockstep::train {
namespace {

// A rank's parameters and optimizer without data or reducer.
struct Update {
  explicit Update(Job& job)
      : model(job.settings.model, static_cast<std::uint64_t>(job.settings.run.seed)) {
    model.to(torch_device(job.device));
    const auto parameters = parallel::parameters_of(model);
    std::vector<std::int64_t> counts;
    for (const optim::NamedParameter& entry : parameters) counts.push_back(entry.tensor.numel());
    std::vector<std::int64_t> order(counts.size());
    std::iota(order.rbegin(), order.rend(), std::int64_t{0});  // about as backward finishes them
    const parallel::BucketPlan plan = parallel::plan_buckets(counts, order, {});
    num_elements = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
    arena = std::make_unique<optim::Arena>(
        job.world, parameters, plan.layout, torch_device(job.device));
    optimizer = optim::make_optimizer(*arena, job.settings.optim, job.settings.precision, -1);
    noise = at::randn_like(arena->gradients()) * 1e-3;
    noise.narrow(0, plan.layout.stats_offset, optim::kNumStats).zero_();
  }

  // Seconds of one norm and update; what writes the gradients is not counted.
  double step(Job& job, std::int64_t number) {
    gpu::Backend& backend = *job.device.backend;
    arena->gradients().copy_(noise);
    backend.synchronize(backend.compute_stream());
    const Stopwatch watch;
    optimizer->update({number, job.settings.optim.lr});
    backend.synchronize(backend.compute_stream());
    return watch.elapsed_s();
  }

  models::Vit model;
  std::unique_ptr<optim::Arena> arena;
  std::unique_ptr<optim::Optimizer> optimizer;
  at::Tensor noise;
  std::int64_t num_elements = 0;
};

}  // namespace

BenchOptimizerResult bench_optimizer(Job& job, const BenchOptimizerOptions& options) {
  job.position.phase = "bench_optimizer";
  Update update(job);
  BenchOptimizerResult result;
  result.num_parameters = update.num_elements;
  result.state_bytes = update.optimizer->state_bytes();
  std::int64_t number = 0;
  for (std::int64_t i = 0; i < options.warmup; ++i) update.step(job, ++number);
  for (std::int64_t block = 0; block < options.blocks; ++block) {
    double sum = 0;
    for (std::int64_t i = 0; i < options.steps; ++i) sum += update.step(job, ++number);
    result.block_seconds.push_back(sum / static_cast<double>(options.steps));
  }
  return result;
}

}  // namespace lockstep::train
