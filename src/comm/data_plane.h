// Which group carries the gradients: solo or MPI on the CPU, NCCL on CUDA devices, and MPI through
// pinned host memory where ranks share a GPU. The choice is pure; opening is collective.
#pragma once

#include <lockstep/comm/world.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lockstep::comm {

enum class DataPlane {
  kHost,    // the world's own host group: solo or MPI
  kSolo,    // one rank on a CUDA device
  kStaged,  // device memory, reduced by the host group
  kNccl,
  kNcclApart,  // NCCL between ranks that share a device
};

// What every rank says about its device before the choice is made.
struct DeviceClaim {
  bool is_cuda = false;
  std::string host;
  std::string uuid;
};

// Throws: Error(kConfig) or Error(kUnavailable) that names the ranks and the setting; the same on
// every rank, because the claims are.
DataPlane choose_data_plane(const std::string& backend,
                            const std::vector<DeviceClaim>& claims,
                            bool allow_gpu_sharing);

// "ranks 0 and 1 share the GPU GPU-… of node1" for the first pair that does; empty when none does.
std::string shared_device_text(const std::vector<DeviceClaim>& claims);

// Collective: on the control plane. `open_host` makes the world's group on host memory.
std::unique_ptr<Group> open_data_group(World& world,
                                       const Options& options,
                                       const Device& device,
                                       bool allow_gpu_sharing,
                                       const std::function<std::unique_ptr<Group>()>& open_host);

// Collective: every rank's claim, in rank order.
std::vector<DeviceClaim> gather_claims(Group& control, const DeviceClaim& own);

}  // namespace lockstep::comm
