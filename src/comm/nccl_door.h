// The way from the torch- and CUDA-free comm library to the NCCL side in liblockstep_cuda.so.
#pragma once

#include <lockstep/comm/world.h>

#include <memory>

namespace lockstep::comm {

// Exported by the CUDA module under the name kNcclEntry.
using OpenNcclFunction = Group* (*)(World& world, const Device& device, const Options& options);
inline constexpr const char* kNcclEntry = "lockstep_open_nccl_group";

// Collective: the id is broadcast over the control plane.
// Throws: Error(kUnavailable), Error(kPeerLost) when a rank does not come within comm.timeout_s.
std::unique_ptr<Group> open_nccl_group(World& world, const Device& device, const Options& options);

}  // namespace lockstep::comm
