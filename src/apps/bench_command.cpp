// lockstep bench: figures of one part at a time, one JSON object on the last line.
#include "trainer_commands.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/version.h>
#include <lockstep/config/settings.h>
#include <lockstep/train/run.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace lockstep::apps {
namespace {

const config::Command& bench_command() {
  static const config::Command command{
      "bench",
      "bench {step|input|allreduce|optimizer} [--config X.ini] [settings] --json",
      "Measure one part: whole training steps, the input path, an all-reduce of gradients, or the "
      "update.",
      {{"json", "", "Print the figures as one JSON object on the last line (always done)."},
       {"blocks", "N", "Blocks of which the median is taken; default 7."},
       {"steps",
        "N",
        "Steps (step), batches (input), updates (optimizer) or calls (allreduce) a block; default "
        "20, of calls "
        "as many as move 512 MiB."},
       {"warmup", "N", "Steps before the first block; default 10."},
       {"bench.batch_file",
        "FILE",
        "step: safetensors with x (N, C, S, S) and y (N), the same batch in every step; prints the "
        "losses of the warm-up."},
       {"bytes", "N", "allreduce: size of the buffer of fp32 values; default 4 MiB."},
       {"batch", "B", "input: images a batch; default train.batch_per_rank."},
       {"output", "u8|f32", "input: bytes as stored, or normalised floats; default f32."},
       {"cold",
        "",
        "input: drops the file from the system's page cache before each block, outside the time."},
       {"compare",
        "naive|reads",
        "input: the plain way of reading in turn with the engine, before and after (naive), or "
        "bare "
        "reads of the same bytes by one thread (reads)."},
       {"compute_ms",
        "T",
        "input --compare: what a device computes a batch; default as long as the other side needs "
        "to read one."}},
      1,
      false};
  return command;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace

std::int64_t whole_number(const config::CommandLine& line,
                          const std::string& flag,
                          std::int64_t otherwise) {
  const auto found = line.flags.find(flag);
  if (found == line.flags.end()) return otherwise;
  const std::string& text = found->second;
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc{} || result.ptr != text.data() + text.size() || value < 1) {
    throw usage_error(format("--{} {} is not a whole number above 0", flag, text));
  }
  return value;
}

void print_bench(const Invocation& invocation, const BenchReport& report) {
  if (invocation.world.rank() != 0) return;
  nlohmann::json versions{{"communication", invocation.world.description()}};
  for (const auto& [name, value] : build_facts()) versions[name] = value;
  nlohmann::json object{{"bench", report.bench},
                        {"config", nlohmann::json::parse(report.config_json)},
                        {"blocks", report.blocks},
                        {"median", median(report.blocks)},
                        {"unit", report.unit},
                        {"versions", versions}};
  if (!report.more_json.empty()) object.update(nlohmann::json::parse(report.more_json));
  std::puts(object.dump().c_str());
}

int run_bench_step(Invocation& invocation, const config::CommandLine& line) {
  const train::RunOptions& run = line.settings.run;
  comm::World& world = invocation.world;
  train::BenchStepOptions options;
  comm::agree(world, [&] {
    options.blocks = whole_number(line, "blocks", options.blocks);
    options.steps = whole_number(line, "steps", options.steps);
    options.warmup = whole_number(line, "warmup", options.warmup);
  });
  if (line.has("bench.batch_file")) options.batch_file = line.flags.at("bench.batch_file");
  invocation.position.phase = "device";
  const comm::Device device = comm::choose_device(world, run.device, run.allow_gpu_sharing);
  comm::Mesh mesh = world.open_mesh(line.settings.comm, device, run.allow_gpu_sharing);
  train::Job job{world,
                 mesh,
                 device,
                 line.settings,
                 config::resolved_ini(line.settings),
                 invocation.command_line,
                 invocation.position};
  const train::BenchStepResult result = train::bench_step(job, options);
  BenchReport report;
  report.bench = "step";
  report.unit = "s";
  report.blocks = result.block_seconds;
  const std::int64_t batch = train::resolve_batch_per_rank(line.settings.train, mesh.data().size());
  report.config_json = nlohmann::json{{"ranks", world.size()},
                                      {"batch_per_rank", batch},
                                      {"accumulate", line.settings.train.accumulate},
                                      {"steps_per_block", options.steps},
                                      {"device", device.is_cuda() ? "cuda" : "cpu"},
                                      {"compute", line.settings.precision.compute},
                                      {"settings", config::resolved_ini(line.settings)}}
                           .dump();
  report.more_json = nlohmann::json{{"losses", result.losses},
                                    {"step_seconds", result.step_seconds},
                                    {"memory_forward_bytes", result.memory_bytes[0]},
                                    {"memory_backward_bytes", result.memory_bytes[1]},
                                    {"memory_update_bytes", result.memory_bytes[2]}}
                         .dump();
  print_bench(invocation, report);
  return 0;
}

int run_bench(Invocation& invocation) {
  const config::CommandLine line = parse_agreed(invocation, bench_command());
  if (line.help) return 0;
  const std::string what = line.positional.empty() ? "" : line.positional[0];
  if (what == "step") return run_bench_step(invocation, line);
  if (what == "input") return run_bench_input(invocation, line);
  if (what == "allreduce") return run_bench_allreduce(invocation, line);
  if (what == "optimizer") return run_bench_optimizer(invocation, line);
  comm::agree(invocation.world, [&] {
    throw usage_error(
        what.empty()
            ? "bench needs a part to measure: step, input, allreduce or optimizer"
            : format("bench {} is not in this version: step, input, allreduce and optimizer are",
                     what));
  });
  return 0;
}

}  // namespace lockstep::apps
