// Whole global steps through the same code as a run, timed in blocks.
#include "session.h"
#include "trainer.h"

#include <lockstep/base/clock.h>
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/random.h>
#include <lockstep/weights/module_tensors.h>

#include <ATen/ops/ones_like.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace lockstep::train {
namespace {

// Noise in memory: the same bytes for the same seed, no file and no disk in the way.
class MemoryDataset final : public data::Dataset {
 public:
  MemoryDataset(const models::Options& model, std::int64_t num_samples, std::uint64_t seed)
      : noise_(static_cast<std::size_t>(model.in_channels * model.image_size * model.image_size)) {
    info_.path = "synthetic";
    info_.num_samples = num_samples;
    info_.height = info_.width = model.image_size;
    info_.channels = model.in_channels;
    info_.image_mean.assign(static_cast<std::size_t>(model.in_channels), 0.5);
    info_.image_std = info_.image_mean;
    for (std::int64_t k = 0; k < model.num_classes; ++k) info_.classes.push_back(format("{}", k));
    PhiloxStream random(seed, 0x62656E6368);
    for (std::byte& byte : noise_) byte = static_cast<std::byte>(random.next_u32());
  }

  const data::DatasetInfo& info() const override { return info_; }
  void read_pixels(std::int64_t index, std::span<std::byte> out, bool /*verify*/) const override {
    const std::size_t turn = static_cast<std::size_t>(index) % noise_.size();
    const std::size_t tail = noise_.size() - turn;
    std::memcpy(out.data(), noise_.data() + turn, tail);
    std::memcpy(out.data() + tail, noise_.data(), turn);
  }
  std::int64_t label(std::int64_t index) const override {
    return index % static_cast<std::int64_t>(info_.classes.size());
  }
  std::int64_t sample_id(std::int64_t index) const override { return index; }

 private:
  data::DatasetInfo info_;
  std::vector<std::byte> noise_;
};

// The same tensors in every step, from a file that a peer can read too.
class FixedFeeder final : public augment::Feeder {
 public:
  FixedFeeder(Job& job, const std::string& path, std::int64_t batch) {
    const weights::SafetensorsFile file(path);
    const at::Tensor x = find(file, "x");
    const at::Tensor y = find(file, "y");
    const std::int64_t begin = job.mesh.data().rank() * batch;
    if (x.size(0) < begin + batch || y.size(0) != x.size(0)) {
      throw data_error(format("{} holds {} samples; {} ranks x {} need more",
                              path,
                              x.size(0),
                              job.mesh.data().size(),
                              batch));
    }
    const at::Device device = torch_device(job.device);
    batch_.images = x.narrow(0, begin, batch).to(device, at::kFloat).contiguous();
    batch_.labels = y.narrow(0, begin, batch).to(device, at::kLong).contiguous();
    batch_.weights = at::ones_like(batch_.labels, at::kFloat);
    batch_.sample_ids = y.narrow(0, begin, batch).to(at::kLong).contiguous();
  }
  augment::DeviceBatch feed(const data::Batch& /*batch*/) override { return batch_; }
  gpu::Event* reusable() override { return nullptr; }

 private:
  static at::Tensor find(const weights::SafetensorsFile& file, const char* key) {
    const auto found = file.tensors().find(key);
    if (found == file.tensors().end()) {
      throw data_error(
          format("{} lacks {}: bench.batch_file needs x and y", file.path().string(), key));
    }
    return weights::tensor_of(found->second);
  }

  augment::DeviceBatch batch_;
};

std::unique_ptr<data::Dataset> synthetic_data(const Job& job, const BenchStepOptions& options) {
  const Settings& settings = job.settings;
  const std::int64_t num_ranks = job.mesh.data().size();
  const std::int64_t step =
      num_ranks * resolve_batch_per_rank(settings.train, num_ranks) * settings.train.accumulate;
  const std::int64_t steps = options.warmup + options.blocks * options.steps;
  return std::make_unique<MemoryDataset>(settings.model,
                                         step * std::max<std::int64_t>(1, steps),
                                         static_cast<std::uint64_t>(settings.run.seed));
}

void check_length(const StepPlan& plan, const BenchStepOptions& options) {
  const std::int64_t needed = options.warmup + options.blocks * options.steps;
  if (plan.total_steps >= needed) return;
  throw config_error(
      format("bench step takes {} steps but the run has {}: raise run.epochs or "
             "run.max_steps, or lower --blocks, --steps or --warmup",
             needed,
             plan.total_steps));
}

}  // namespace

BenchStepResult bench_step(Job& job, const BenchStepOptions& options) {
  job.position.phase = "bench_step";
  std::unique_ptr<data::Dataset> dataset;
  if (job.settings.data.train.empty()) dataset = synthetic_data(job, options);
  const std::unique_ptr<Session> session = open_session(job, std::move(dataset));
  if (!options.batch_file.empty()) {
    comm::agree(job.world, [&] {
      session->feeder =
          std::make_unique<FixedFeeder>(job, options.batch_file, session->plan.batch_per_rank);
    });
  }
  comm::agree(job.world, [&] { check_length(session->plan, options); });
  BenchStepResult result;
  Trainer trainer(job, *session, [&](const StepFigures& figures) {
    if (figures.step <= options.warmup) return result.losses.push_back(figures.loss);
    for (std::size_t i = 0; i < kNumMemoryPhases; ++i) {
      result.memory_bytes[i] = std::max(result.memory_bytes[i], figures.memory_bytes[i]);
    }
  });
  for (std::int64_t i = 0; i < options.warmup; ++i) trainer.step();
  gpu::Backend& backend = *job.device.backend;
  for (std::int64_t block = 0; block < options.blocks; ++block) {
    trainer.drain();
    backend.synchronize(backend.compute_stream());
    comm::barrier(job.world.control());
    const Stopwatch watch;
    Stopwatch each;
    for (std::int64_t i = 0; i < options.steps; ++i) {
      trainer.step();
      result.step_seconds.push_back(each.lap_s());
    }
    trainer.drain();
    backend.synchronize(backend.compute_stream());
    std::array<double, 1> slowest{watch.elapsed_s() / static_cast<double>(options.steps)};
    comm::all_reduce(job.world.control(), slowest, comm::ReduceOp::kMax);
    result.block_seconds.push_back(slowest[0]);
  }
  comm::all_reduce(job.world.control(), result.memory_bytes, comm::ReduceOp::kMax);
  return result;
}

}  // namespace lockstep::train
