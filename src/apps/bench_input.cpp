// lockstep bench input: the input path alone, from the file to what the model would take, by itself
// or beside the plain way of reading.
#include "input_comparison.h"
#include "input_side.h"
#include "trainer_commands.h"

#include <lockstep/base/clock.h>
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <nlohmann/json.hpp>

#include <array>
#include <memory>
#include <optional>

namespace lockstep::apps {
namespace {

struct Plan {
  InputOptions input;
  std::string compare;  // empty, naive or reads
  std::int64_t blocks = 7;
  std::int64_t batches = 0;  // a block; 0: a whole epoch, or with compare about a second
  bool cold = false;
  bool has_cache = false;
  double compute_s = -1;  // of a device, a batch; below 0: what the other side needs to read one
};

Plan make_plan(const config::CommandLine& line) {
  const auto flag = [&line](const char* name, const char* otherwise) {
    const auto found = line.flags.find(name);
    return found == line.flags.end() ? std::string(otherwise) : found->second;
  };
  if (line.settings.data.train.empty()) throw usage_error("bench input needs --data.train DATA.h5");
  Plan plan;
  plan.input.reader = line.settings.data.reader;
  plan.input.output = flag("output", "f32");
  plan.input.batch = whole_number(line, "batch", line.settings.train.batch_per_rank);
  plan.compare = flag("compare", "");
  plan.blocks = whole_number(line, "blocks", plan.blocks);
  plan.cold = line.has("cold");
  if (line.has("steps")) plan.batches = whole_number(line, "steps", 1);
  if (line.has("compute_ms")) {
    plan.compute_s = 1e-3 * static_cast<double>(whole_number(line, "compute_ms", 1));
  }
  if (plan.input.output != "u8" && plan.input.output != "f32") {
    throw usage_error(format("--output {} is neither u8 nor f32", plan.input.output));
  }
  if (!plan.compare.empty() && plan.compare != "naive" && plan.compare != "reads") {
    throw usage_error(format("--compare {} is neither naive nor reads", plan.compare));
  }
  return plan;
}

// Checksum of one epoch over all ranks; the file is read whole and verified. Collective.
std::string sum_epoch(comm::World& world, InputSide& side) {
  constexpr std::uint64_t kMask = (std::uint64_t{1} << 48) - 1;  // sums of ranks stay in 64 bits
  std::array<std::int64_t, 1> checksum{};
  comm::agree(world, [&] {
    checksum[0] = static_cast<std::int64_t>(side.sum(side.sampler().steps_per_epoch()) & kMask);
  });
  comm::all_reduce(world.control(), checksum, comm::ReduceOp::kSum);
  return format("{:012x}", static_cast<std::uint64_t>(checksum[0]) & kMask);
}

nlohmann::json describe_order(const InputSide& side) {
  data::Sampler sampler = side.sampler();
  sampler.begin_epoch(0);
  const data::SamplerOptions& options = sampler.options();
  nlohmann::json object{{"order",
                         options.uses_windows() ? "window"
                         : options.shuffle      ? "global"
                                                : "sequential"},
                        {"samples_per_chunk", side.dataset().samples_per_chunk()}};
  const data::ShuffleQuality quality = data::measure_shuffle(
      sampler.order(), side.dataset().samples_per_chunk(), sampler.samples_per_step());
  object["displacement"] = quality.displacement;
  object["chunks_per_step"] = quality.chunks_per_step;
  object["uniform_chunks_per_step"] = quality.uniform_chunks_per_step;
  if (options.uses_windows()) object["window_chunks"] = options.window_chunks;
  return object;
}

std::size_t size_of(const std::unique_ptr<comm::Memory>& memory) {
  return memory ? memory->size_bytes() : 0;
}

// Opens the file, reads one epoch of it whole and sums it: warm-up, checks, and the proof of what
// was delivered. Collective.
std::string check_input(comm::World& world,
                        const config::CommandLine& line,
                        const InputOptions& input,
                        train::SharedInput& shared) {
  std::optional<InputSide> whole;
  comm::agree(world, [&] {
    InputOptions plain = input;
    plain.output = "u8";
    plain.training = false;
    plain.verify = line.settings.data.verify;
    whole.emplace(world, line.settings, plain, train::SharedInput{});
  });
  shared = train::share_input(world, whole->dataset(), line.settings.data, whole->loading());
  return sum_epoch(world, *whole);
}

// Blocks of our side alone. Collective.
void time_blocks(comm::World& world,
                 InputSide& side,
                 const Plan& plan,
                 BenchReport& report,
                 nlohmann::json& more) {
  const std::int64_t epoch = side.sampler().steps_per_epoch();
  const BlockPlan block_plan{plan.batches > 0 ? plan.batches : epoch, 0, plan.cold};
  // Fills the cache, where there is one; else takes what was read ahead.
  time_block(world, side, {plan.has_cache ? epoch : side.num_ahead() + 1, 0, false});
  double cpu_s = 0;
  std::int64_t images = 0;
  for (std::int64_t i = 0; i < plan.blocks; ++i) {
    const InputBlock block = time_block(world, side, block_plan);
    report.blocks.push_back(block.images_per_s());
    cpu_s += block.cpu_s;
    images += block.images;
  }
  more["cpu_us_per_image"] = 1e6 * cpu_s / static_cast<double>(images);
}

// The other way of reading beside ours. Collective.
void compare(Invocation& invocation,
             const config::CommandLine& line,
             InputSide& side,
             const Plan& plan,
             BenchReport& report,
             nlohmann::json& more) {
  std::optional<InputSide> other;
  comm::agree(invocation.world, [&] {
    InputOptions input = plan.input;
    input.reader = plan.compare;
    other.emplace(invocation.world, line.settings, input, train::SharedInput{});
  });
  const ComparisonPlan comparison{
      plan.input.reader, plan.compare, plan.blocks, plan.batches, plan.compute_s, plan.cold};
  more["compare"] =
      nlohmann::json::parse(compare_inputs(invocation.world, *other, side, comparison));
  report.blocks = more["compare"]["input_alone"]["after"]["blocks"].get<std::vector<double>>();
}

}  // namespace

int run_bench_input(Invocation& invocation, const config::CommandLine& line) {
  invocation.position.phase = "bench_input";
  comm::World& world = invocation.world;
  Plan plan;
  comm::agree(world, [&] { plan = make_plan(line); });
  train::SharedInput shared;
  const std::string checksum = check_input(world, line, plan.input, shared);
  plan.has_cache = shared.samples != nullptr;
  plan.input.verify = line.settings.data.verify == "always" ? "always" : "never";
  std::optional<InputSide> side;
  double first_batch_s = 0;
  comm::agree(world, [&] {
    const Stopwatch opening;
    side.emplace(world, line.settings, plan.input, shared);
    side->take(1, 0);
    first_batch_s = opening.elapsed_s();
  });
  BenchReport report;
  nlohmann::json more{{"checksum", checksum},
                      {"shuffle", describe_order(*side)},
                      {"first_batch_ms", 1e3 * first_batch_s}};
  if (plan.compare.empty()) {
    time_blocks(world, *side, plan, report, more);
  } else {
    compare(invocation, line, *side, plan, report, more);
  }
  report.bench = "input";
  report.unit = "images/s";
  report.config_json = nlohmann::json{{"ranks", world.size()},
                                      {"batch", plan.input.batch},
                                      {"output", plan.input.output},
                                      {"reader", plan.input.reader},
                                      {"threads", line.settings.data.threads},
                                      {"verify", plan.input.verify},
                                      {"cold", plan.cold},
                                      {"cache_bytes", size_of(shared.samples)},
                                      {"shared_chunk_bytes", size_of(shared.chunks)},
                                      {"task", side->dataset().info().task},
                                      {"data", line.settings.data.train}}
                           .dump();
  report.more_json = more.dump();
  print_bench(invocation, report);
  return 0;
}

}  // namespace lockstep::apps
