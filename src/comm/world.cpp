// The mesh and the doors to the worlds.
#include "solo_group.h"

#include <lockstep/base/module.h>
#include <lockstep/base/process.h>
#include <lockstep/comm/world.h>

#include <utility>

namespace lockstep::comm {

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
  return started_by_launcher() ? open_mpi_world() : open_solo_world();
}

}  // namespace lockstep::comm
