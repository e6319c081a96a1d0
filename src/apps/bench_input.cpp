// lockstep bench input: the input path alone, from the file to what the model would take.
#include "trainer_commands.h"

#include <lockstep/augment/feeder.h>
#include <lockstep/base/clock.h>
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>
#include <lockstep/data/loader.h>

#include <nlohmann/json.hpp>

#include <array>
#include <span>

namespace lockstep::apps {
namespace {

struct InputBench {
  std::unique_ptr<data::Dataset> dataset;
  std::unique_ptr<augment::Feeder> feeder;  // null for u8
  std::unique_ptr<data::Loader> loader;
  std::int64_t images = 0;

  // One batch, as training takes it.
  void take_one() {
    const data::Batch* batch = next();
    if (feeder) feeder->feed(*batch);
    loader->release(batch, feeder ? feeder->reusable() : nullptr);
  }
  // One batch; returns the sum over its real samples of a number made of id, label and pixels, so
  // that the sum over an epoch depends neither on the order nor on the number of ranks.
  std::uint64_t sum_one() {
    const data::Batch* batch = next();
    const std::size_t size = batch->pixels.size() / batch->sample_ids.size();
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < batch->sample_ids.size(); ++i) {
      if (batch->weights[i] == 0) continue;
      const std::array<std::int64_t, 2> names{batch->sample_ids[i], batch->labels[i]};
      const std::uint32_t pixels = crc32c(std::as_bytes(batch->pixels.subspan(i * size, size)));
      sum += std::uint64_t{pixels} << 32 | crc32c(std::as_bytes(std::span(names)), pixels);
    }
    loader->release(batch, nullptr);
    return sum;
  }

 private:
  const data::Batch* next() {
    const data::Batch* batch = loader->next();
    LOCKSTEP_CHECK(batch != nullptr, "the input ended");
    images += batch->num_real;
    return batch;
  }
};

InputBench open_input(const Invocation& invocation, const config::CommandLine& line) {
  const data::Options& settings = line.settings.data;
  if (settings.train.empty()) throw usage_error("bench input needs --data.train DATA.h5");
  const auto output = line.flags.find("output");
  const std::string kind = output == line.flags.end() ? "f32" : output->second;
  if (kind != "u8" && kind != "f32") {
    throw usage_error(format("--output {} is neither u8 nor f32", kind));
  }
  InputBench bench;
  bench.dataset = data::open_dataset(settings.train, settings);
  if (kind == "f32") {
    augment::FeederOptions feeding;
    feeding.mean = bench.dataset->info().image_mean;
    feeding.std = bench.dataset->info().image_std;
    feeding.augment = line.settings.augment;
    bench.feeder = augment::make_feeder(gpu::host_backend(), at::Device(at::kCPU), feeding);
  }
  data::LoaderOptions loading;
  loading.sampler.num_samples = bench.dataset->info().num_samples;
  loading.sampler.batch_per_rank = whole_number(line, "batch", line.settings.train.batch_per_rank);
  loading.sampler.num_ranks = invocation.world.size();
  loading.sampler.seed = static_cast<std::uint64_t>(line.settings.run.seed);
  loading.sampler.shuffle = settings.order != "sequential";
  loading.rank = invocation.world.rank();
  loading.reader = settings.reader;
  loading.threads = settings.threads;
  loading.prefetch = settings.prefetch;
  loading.verify = settings.verify;
  bench.loader = data::make_loader(*bench.dataset, gpu::host_backend(), loading);
  return bench;
}

// Checksum of one epoch over all ranks. Collective.
std::string sum_epoch(comm::World& world, InputBench& bench, std::int64_t num_batches) {
  constexpr std::uint64_t kMask = (std::uint64_t{1} << 48) - 1;  // sums of ranks stay in 64 bits
  std::array<std::int64_t, 1> checksum{};
  comm::agree(world, [&] {
    std::uint64_t sum = 0;
    for (std::int64_t i = 0; i < num_batches; ++i) sum += bench.sum_one();
    checksum[0] = static_cast<std::int64_t>(sum & kMask);
  });
  comm::all_reduce(world.control(), checksum, comm::ReduceOp::kSum);
  return format("{:012x}", static_cast<std::uint64_t>(checksum[0]) & kMask);
}

// Images of all ranks a second of the slowest one. Collective.
double time_block(comm::World& world, InputBench& bench, std::int64_t num_batches) {
  comm::barrier(world.control());
  bench.images = 0;
  std::array<double, 1> slowest{};
  comm::agree(world, [&] {
    const Stopwatch watch;
    for (std::int64_t i = 0; i < num_batches; ++i) bench.take_one();
    slowest[0] = watch.elapsed_s();
  });
  std::array<std::int64_t, 1> images{bench.images};
  comm::all_reduce(world.control(), slowest, comm::ReduceOp::kMax);
  comm::all_reduce(world.control(), images, comm::ReduceOp::kSum);
  return static_cast<double>(images[0]) / slowest[0];
}

}  // namespace

int run_bench_input(Invocation& invocation, const config::CommandLine& line) {
  invocation.position.phase = "bench_input";
  comm::World& world = invocation.world;
  InputBench bench;
  std::int64_t epoch = 0;
  std::int64_t blocks = 7;
  std::int64_t batches = 0;
  comm::agree(world, [&] {
    bench = open_input(invocation, line);
    epoch = bench.loader->sampler().steps_per_epoch();
    blocks = whole_number(line, "blocks", blocks);
    batches = whole_number(line, "steps", epoch);
  });
  // The first epoch is read whole and summed: warm-up, checks, and the proof of what was delivered.
  const std::string checksum = sum_epoch(world, bench, epoch);
  BenchReport report;
  for (std::int64_t i = 0; i < blocks; ++i) {
    report.blocks.push_back(time_block(world, bench, batches));
  }
  report.bench = "input";
  report.unit = "images/s";
  report.config_json = nlohmann::json{{"ranks", world.size()},
                                      {"batch", bench.loader->sampler().options().batch_per_rank},
                                      {"output", bench.feeder ? "f32" : "u8"},
                                      {"threads", line.settings.data.threads},
                                      {"data", line.settings.data.train}}
                           .dump();
  report.more_json = nlohmann::json{{"checksum", checksum}}.dump();
  print_bench(invocation, report);
  return 0;
}

}  // namespace lockstep::apps
