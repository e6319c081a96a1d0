// A training run: setup, the loop, the final evaluation and the files of the run directory.
#pragma once

#include <lockstep/comm/world.h>
#include <lockstep/train/settings.h>

#include <c10/core/Device.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::train {

// Where a program is, for the record of a failure.
struct Position {
  std::string phase = "start";
  std::int64_t step = 0;
};

// What main opened before; all of it outlives the run.
struct Job {
  comm::World& world;
  comm::Mesh& mesh;
  comm::Device device;
  const Settings& settings;
  std::string resolved_ini;  // written to the run directory as config.resolved.ini
  std::string command_line;  // written as command.txt
  Position& position;
};

// The device as LibTorch names it.
at::Device torch_device(const comm::Device& device);

// Trains to the end and leaves a run directory (docs/reports.md lists its files).
// Collective. Throws: AgreedError on all ranks alike; Error(kPeerLost) when a peer is gone.
void run(Job& job);

// Prints what a run would do (data, model, one batch, step plan) and makes no run directory.
// Collective; rank 0 prints to standard output.
void dry_run(Job& job);

// Figures of `lockstep bench step`: whole global steps through the same code as a run.
struct BenchStepOptions {
  std::int64_t blocks = 7;
  std::int64_t steps = 20;   // a block
  std::int64_t warmup = 10;  // steps before the first block
  std::string batch_file;    // safetensors with x (N, C, S, S) f32 and y (N) i64; empty: none
};
struct BenchStepResult {
  std::vector<double> block_seconds;  // seconds a step, slowest rank, by block
  // On this rank's host, the blocks' steps one after another; a device may lag behind.
  std::vector<double> step_seconds;
  std::vector<double> losses;  // of the warm-up steps
  // Peaks of forward, backward and update after the warm-up, of the rank that held most.
  std::array<std::int64_t, 3> memory_bytes{};
};
// Without data.train the samples are synthetic and live in memory. Collective.
BenchStepResult bench_step(Job& job, const BenchStepOptions& options);

// Figures of `lockstep bench optimizer`: the update alone, of the [model]'s parameters.
struct BenchOptimizerOptions {
  std::int64_t blocks = 7;
  std::int64_t steps = 20;   // a block
  std::int64_t warmup = 10;  // updates before the first block
};
struct BenchOptimizerResult {
  std::vector<double> block_seconds;  // seconds an update of this rank, by block
  std::int64_t num_parameters = 0;
  std::int64_t state_bytes = 0;
};
// Each rank updates a whole model by itself. Collective: allocates the arena.
BenchOptimizerResult bench_optimizer(Job& job, const BenchOptimizerOptions& options);

}  // namespace lockstep::train
