// How a rank finds its device, with the driver behind a seam so that every answer can be tested
// without a GPU.
#pragma once

#include <lockstep/comm/world.h>

#include <functional>
#include <string>

namespace lockstep::comm {

struct DeviceProbe {
  std::function<bool(std::string* reason)> cuda_present;
  std::function<gpu::Backend&()> open_cuda;
};

// Collective. Throws: AgreedError, the same on every rank.
Device choose_device(World& world,
                     const std::string& kind,
                     bool allow_gpu_sharing,
                     const DeviceProbe& probe);

}  // namespace lockstep::comm
