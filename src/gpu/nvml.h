// Utilisation, memory, power and temperature of a GPU, from NVIDIA's management library, which is
// loaded at run time and may be missing (containers): then there are no samples.
#pragma once

#include <lockstep/gpu/device.h>

#include <optional>
#include <string>

namespace lockstep::gpu {

class Nvml {
 public:
  Nvml();
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  // `uuid` as in DeviceInfo: the index of NVML ignores CUDA_VISIBLE_DEVICES, the UUID does not err.
  // Thread: any.
  std::optional<DeviceSample> sample(const std::string& uuid);

 private:
  struct Functions;
  Functions* functions_ = nullptr;  // nullptr: not to be had
};

}  // namespace lockstep::gpu
