// Subcommands of lockstep-trainer: what they share and one function each.
#pragma once

#include <lockstep/comm/world.h>
#include <lockstep/config/command_line.h>
#include <lockstep/train/run.h>

#include <memory>
#include <string>
#include <vector>

namespace lockstep::apps {

// What main opened, alive until the subcommand has returned.
struct Invocation {
  comm::World& world;
  std::vector<std::string> arguments;  // after the subcommand's name
  std::string command_line;            // for a shell, to do the same again
  train::Position& position;
};

// Parses on every rank alike and lets rank 0 say the warnings. Prints help on rank 0.
// Collective. Throws: AgreedError (usage, configuration).
config::CommandLine parse_agreed(Invocation& invocation, const config::Command& command);

// Collective. Return the exit code; throw AgreedError on all ranks alike.
int run_train(Invocation& invocation);
int run_eval(Invocation& invocation);
int run_bench(Invocation& invocation);

// The benches of this version; run_bench picks.
int run_bench_allreduce(Invocation& invocation, const config::CommandLine& line);
int run_bench_step(Invocation& invocation, const config::CommandLine& line);
int run_bench_input(Invocation& invocation, const config::CommandLine& line);
int run_bench_optimizer(Invocation& invocation, const config::CommandLine& line);

// The one object that every bench prints as its last line, on rank 0.
struct BenchReport {
  std::string bench;           // "step"
  std::string config_json;     // an object
  std::vector<double> blocks;  // one figure a block
  std::string unit;            // of blocks and median
  std::string more_json;       // further keys of the object, an object; may be empty
};
void print_bench(const Invocation& invocation, const BenchReport& report);

// A whole number given to a flag. Throws: Error(kUsage) naming the flag.
std::int64_t whole_number(const config::CommandLine& line,
                          const std::string& flag,
                          std::int64_t otherwise);

}  // namespace lockstep::apps
