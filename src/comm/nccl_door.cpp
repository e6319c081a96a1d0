#include "nccl_door.h"

namespace lockstep::comm {

std::unique_ptr<Group> open_nccl_group(World& world, const Device& device, const Options& options) {
  const auto open = reinterpret_cast<OpenNcclFunction>(gpu::cuda_symbol(kNcclEntry));
  return std::unique_ptr<Group>(open(world, device, options));
}

}  // namespace lockstep::comm
