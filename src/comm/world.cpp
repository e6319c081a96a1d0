// The mesh and the doors to the worlds.
#include "solo_group.h"

#include <lockstep/base/format.h>
#include <lockstep/base/module.h>
#include <lockstep/base/process.h>
#include <lockstep/comm/world.h>

#include <utility>

namespace lockstep::comm {
namespace {

// An MPI without Slurm's means would start as many worlds of one rank, or end with words of its
// own.
void refuse_tasks_without_means() {
  const std::string tasks = environment("SLURM_STEP_NUM_TASKS").value_or("1");
  if (has_process_manager() || tasks == "1") return;
  // Every task sees the same: the first one speaks.
  throw AgreedError(
      {ExitCode::kUnavailable,
       0,
       format("srun started {} tasks but nothing by which MPI finds them (no PMIx, no PMI): start "
              "with srun --mpi=pmix, or with mpirun inside the allocation; srun --mpi=list says "
              "what this Slurm has",
              tasks)});
}

}  // namespace

Mesh::Mesh(std::unique_ptr<Group> data)
    : data_(std::move(data)),
      tensor_(std::make_unique<SoloGroup>(gpu::host_backend())),
      pipeline_(std::make_unique<SoloGroup>(gpu::host_backend())),
      expert_(std::make_unique<SoloGroup>(gpu::host_backend())) {}

std::unique_ptr<World> open_mpi_world() {
  using Entry = World* (*)();
  void* symbol = module_symbol(open_module("mpi"), "lockstep_open_mpi_world");
  return std::unique_ptr<World>(reinterpret_cast<Entry>(symbol)());
}

std::unique_ptr<World> open_world() {
  if (!started_by_launcher()) return open_solo_world();
  refuse_tasks_without_means();
  return open_mpi_world();
}

}  // namespace lockstep::comm
