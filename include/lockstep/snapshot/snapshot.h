// Saved state of a run. Today: the model, published atomically as one folder a step. What a resume
// needs hangs off RunState, so that the rest is added here alone.
#pragma once

#include <lockstep/comm/world.h>
#include <lockstep/optim/optimizer.h>

#include <torch/nn/module.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace lockstep::snapshot {

// Everything a run would need to go on: reachable from one place.
struct RunState {
  torch::nn::Module* model = nullptr;
  optim::Arena* arena = nullptr;
  optim::Optimizer* optimizer = nullptr;
  at::Tensor averaged;     // of the arena's parameters, on rank 0; undefined without an average
  std::int64_t step = 0;   // finished steps
  std::int64_t epoch = 0;  // epoch of the last finished step, from 0
  // Stored in model.safetensors: the [model] settings and the class names, so that `eval` needs no
  // configuration.
  std::map<std::string, std::string> metadata;
};

// Writes RUN/snapshots/step_<8 digits>/ {model.safetensors, ema.safetensors where there is an
// average, manifest.json}: into step_N.tmp, fsync,
// manifest last, rename, fsync of the folder. Returns the folder.
// Collective: every rank calls; rank 0 writes (parameters are equal on all ranks).
// Throws: Error(kIo) on every rank (agreed).
std::filesystem::path save_model(comm::World& world,
                                 const std::filesystem::path& run_folder,
                                 const RunState& state);

}  // namespace lockstep::snapshot
