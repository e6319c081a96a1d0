#include "input_comparison.h"

#include <lockstep/base/format.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace lockstep::apps {
namespace {

constexpr double kBlock_s = 1.0;  // about what a block of the slower side takes
constexpr std::int64_t kProbeBatches = 3;

// One side: sums over its blocks.
struct Total {
  InputBlock sum;
  std::int64_t batches = 0;
  std::vector<double> rates;

  void add(const InputBlock& block, std::int64_t num_batches) {
    sum.images += block.images;
    sum.seconds += block.seconds;
    sum.wait_s += block.wait_s;
    sum.cpu_s += block.cpu_s;
    batches += num_batches;
    rates.push_back(block.images_per_s());
  }

  nlohmann::json json(std::int64_t steps_per_epoch) const {
    const double steps = static_cast<double>(steps_per_epoch) / static_cast<double>(batches);
    const double wait = sum.wait_s / sum.seconds;
    return {{"epoch_s", sum.seconds * steps},
            {"images_per_s", sum.images_per_s()},
            {"data_wait_percent", 100 * wait},
            {"utilisation_percent", 100 * (1 - wait)},
            {"cpu_us_per_image", 1e6 * sum.cpu_s / static_cast<double>(sum.images)},
            {"blocks", rates}};
  }
};

double number(const nlohmann::json& object, const char* key) { return object[key].get<double>(); }

double reduction_percent(const nlohmann::json& object, const char* key) {
  const double before = number(object["before"], key);
  return before > 0 ? 100 * (1 - number(object["after"], key) / before) : 0;
}

// Blocks of both sides in turn, ABBA. What a side read ahead while the other one ran is taken
// before its time begins. Collective.
nlohmann::json take_turns(comm::World& world,
                          InputSide& other,
                          InputSide& ours,
                          std::int64_t blocks,
                          const BlockPlan& plan) {
  Total before;
  Total after;
  for (std::int64_t i = 0; i < 2 * blocks; ++i) {
    const bool first = i % 4 == 0 || i % 4 == 3;
    InputSide& side = first ? other : ours;
    if (!plan.cold) time_block(world, side, {side.num_ahead() + 1, 0, false});
    (first ? before : after).add(time_block(world, side, plan), plan.batches);
  }
  const std::int64_t steps = ours.sampler().steps_per_epoch();
  nlohmann::json object{{"compute_ms", 1e3 * plan.compute_s},
                        {"before", before.json(steps)},
                        {"after", after.json(steps)}};
  object["epoch_reduction_percent"] = reduction_percent(object, "epoch_s");
  object["data_wait_reduction_percent"] = reduction_percent(object, "data_wait_percent");
  object["speedup"] =
      number(object["after"], "images_per_s") / number(object["before"], "images_per_s");
  return object;
}

void print_side(const std::string& name, const nlohmann::json& side) {
  std::printf("  %-8s epoch %9.3f s  %9.0f images/s  data wait %5.1f %%  utilisation %5.1f %%\n",
              name.c_str(),
              number(side, "epoch_s"),
              number(side, "images_per_s"),
              number(side, "data_wait_percent"),
              number(side, "utilisation_percent"));
}

void print_both(const ComparisonPlan& plan, const nlohmann::json& object, const char* title) {
  std::puts(title);
  print_side(plan.other, object["before"]);
  print_side(plan.ours, object["after"]);
  std::printf("  epoch time %.1f %% less, data wait %.1f %% less, %.2f times the images a second\n",
              number(object, "epoch_reduction_percent"),
              number(object, "data_wait_reduction_percent"),
              number(object, "speedup"));
}

}  // namespace

std::string compare_inputs(comm::World& world,
                           InputSide& other,
                           InputSide& ours,
                           const ComparisonPlan& plan) {
  const std::int64_t epoch = ours.sampler().steps_per_epoch();
  const std::int64_t probes = std::min(kProbeBatches, epoch);
  time_block(world, other, {1, 0, false});
  const double batch_s =
      time_block(world, other, {probes, 0, plan.cold}).seconds / static_cast<double>(probes);
  BlockPlan block{plan.batches, 0, plan.cold};
  if (block.batches == 0) {
    block.batches = std::clamp<std::int64_t>(std::llround(kBlock_s / batch_s), probes, epoch);
  }
  nlohmann::json object{{"with", plan.other}, {"batches_per_block", block.batches}};
  object["input_alone"] = take_turns(world, other, ours, plan.blocks, block);
  block.compute_s = plan.compute_s >= 0 ? plan.compute_s : batch_s;
  object["with_device"] = take_turns(world, other, ours, plan.blocks, block);
  if (world.rank() == 0) {
    print_both(plan, object["input_alone"], "input alone:");
    const std::string title =
        format("with a device that computes {:.2f} ms a batch:", 1e3 * block.compute_s);
    print_both(plan, object["with_device"], title.c_str());
    std::fflush(stdout);
  }
  return object.dump();
}

}  // namespace lockstep::apps
