// lockstep bench input: the input path alone, from the file to what the model would take.
#include "trainer_commands.h"

#include <lockstep/augment/feeder.h>
#include <lockstep/base/clock.h>
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>
#include <lockstep/data/loader.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace lockstep::apps {
namespace {

struct InputBench {
  std::unique_ptr<data::Dataset> dataset;
  std::unique_ptr<augment::Feeder> feeder;  // null for u8
  std::unique_ptr<data::Loader> loader;
  std::uint32_t checksum = 0;  // CRC-32C over the bytes delivered in the first epoch, in order
  std::int64_t images = 0;

  // One batch. The checksum is taken outside the timed blocks only.
  void take_one(bool with_checksum) {
    const data::Batch* batch = loader->next();
    LOCKSTEP_CHECK(batch != nullptr, "the input ended");
    images += batch->num_real;
    if (feeder) feeder->feed(*batch);
    if (with_checksum) checksum = crc32c(std::as_bytes(batch->pixels), checksum);
    loader->release(batch, feeder ? feeder->reusable() : nullptr);
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

}  // namespace

int run_bench_input(Invocation& invocation, const config::CommandLine& line) {
  invocation.position.phase = "bench input";
  comm::World& world = invocation.world;
  BenchReport report;
  nlohmann::json more;
  InputBench bench;
  comm::agree(world, [&] { bench = open_input(invocation, line); });
  const std::int64_t epoch = bench.loader->sampler().steps_per_epoch();
  const std::int64_t blocks = whole_number(line, "blocks", 7);
  const std::int64_t batches = whole_number(line, "steps", std::max<std::int64_t>(1, epoch));
  // The first epoch is read whole and summed: warm-up, checks, and the proof of what was delivered.
  comm::agree(world, [&] {
    for (std::int64_t i = 0; i < epoch; ++i) bench.take_one(true);
  });
  for (std::int64_t block = 0; block < blocks; ++block) {
    comm::barrier(world.control());
    const Stopwatch watch;
    bench.images = 0;
    for (std::int64_t i = 0; i < batches; ++i) bench.take_one(false);
    std::array<double, 1> slowest{watch.elapsed_s()};
    std::array<std::int64_t, 1> images{bench.images};
    comm::all_reduce(world.control(), slowest, comm::ReduceOp::kMax);
    comm::all_reduce(world.control(), images, comm::ReduceOp::kSum);
    report.blocks.push_back(static_cast<double>(images[0]) / slowest[0]);
  }
  report.bench = "input";
  report.unit = "images/s";
  report.config_json = nlohmann::json{{"ranks", world.size()},
                                      {"batch", bench.loader->sampler().options().batch_per_rank},
                                      {"output", bench.feeder ? "f32" : "u8"},
                                      {"threads", line.settings.data.threads},
                                      {"data", line.settings.data.train}}
                           .dump();
  report.more_json = nlohmann::json{{"checksum", format("{:08x}", bench.checksum)}}.dump();
  print_bench(invocation, report);
  return 0;
}

}  // namespace lockstep::apps
