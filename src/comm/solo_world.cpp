// A world of one rank without MPI: what plain `lockstep train` runs in.
#include "data_plane.h"
#include "host_memory.h"
#include "solo_group.h"

#include <lockstep/comm/world.h>

#include <cstdio>
#include <cstdlib>

namespace lockstep::comm {
namespace {

class SoloWorld final : public World {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int local_rank() const override { return 0; }
  int local_size() const override { return 1; }
  std::string description() const override { return "one rank, no MPI"; }
  Group& control() override { return control_; }
  Mesh open_mesh(const Options& options, const Device& device, bool allow_gpu_sharing) override {
    const auto open_host = [] { return std::make_unique<SoloGroup>(gpu::host_backend()); };
    return Mesh(open_data_group(*this, options, device, allow_gpu_sharing, open_host));
  }
  std::unique_ptr<Memory> allocate(std::size_t size_bytes) override {
    return make_host_memory(size_bytes);
  }
  std::unique_ptr<Memory> allocate_shared(std::size_t size_bytes) override {
    return make_host_memory(size_bytes);
  }
  [[noreturn]] void abort(ExitCode code) override {
    std::fflush(nullptr);
    std::_Exit(static_cast<int>(code));
  }

 private:
  SoloGroup control_{gpu::host_backend()};
};

}  // namespace

std::unique_ptr<World> open_solo_world() { return std::make_unique<SoloWorld>(); }

}  // namespace lockstep::comm
