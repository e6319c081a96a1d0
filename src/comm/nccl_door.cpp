#include "nccl_door.h"

namespace lockstep::comm {

std::unique_ptr<Group> open_nccl_group(World& world, const Device& device, double timeout_s) {
  const auto open = reinterpret_cast<OpenNcclFunction>(gpu::cuda_symbol(kNcclEntry));
  return std::unique_ptr<Group>(open(world, device, timeout_s));
}

}  // namespace lockstep::comm
