// lockstep bench optimizer: norm, clipping, update, average and zeroing of one model's parameters.
#include "trainer_commands.h"

#include <lockstep/config/settings.h>
#include <lockstep/train/run.h>

#include <nlohmann/json.hpp>

namespace lockstep::apps {

int run_bench_optimizer(Invocation& invocation, const config::CommandLine& line) {
  comm::World& world = invocation.world;
  const train::RunOptions& run = line.settings.run;
  train::BenchOptimizerOptions options;
  comm::agree(world, [&] {
    options.blocks = whole_number(line, "blocks", options.blocks);
    options.steps = whole_number(line, "steps", options.steps);
    options.warmup = whole_number(line, "warmup", options.warmup);
  });
  const comm::Device device = comm::choose_device(world, run.device, run.allow_gpu_sharing);
  comm::Mesh mesh = world.open_mesh(line.settings.comm, device, run.allow_gpu_sharing);
  train::Job job{world,
                 mesh,
                 device,
                 line.settings,
                 config::resolved_ini(line.settings),
                 invocation.command_line,
                 invocation.position};
  const train::BenchOptimizerResult result = train::bench_optimizer(job, options);
  BenchReport report;
  report.bench = "optimizer";
  report.unit = "s";
  report.blocks = result.block_seconds;
  report.config_json = nlohmann::json{{"parameters", result.num_parameters},
                                      {"state_bytes", result.state_bytes},
                                      {"steps_per_block", options.steps},
                                      {"device", device.is_cuda() ? "cuda" : "cpu"},
                                      {"settings", config::resolved_ini(line.settings)}}
                           .dump();
  print_bench(invocation, report);
  return 0;
}

}  // namespace lockstep::apps
