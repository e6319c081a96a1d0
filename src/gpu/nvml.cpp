#include "nvml.h"

#include <dlfcn.h>

#include <type_traits>

namespace lockstep::gpu {
namespace {

// NVML's stable C interface, as far as it is used (NVML API reference: device queries).
struct Utilization {
  unsigned int gpu;  // percent of the last sample period in which a kernel ran
  unsigned int memory;
};
struct MemoryInfo {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};
using Device = struct DeviceTag*;
constexpr int kSuccess = 0;
constexpr int kTemperatureOfGpu = 0;

}  // namespace

struct Nvml::Functions {
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  int (*handle_by_uuid)(const char*, Device*) = nullptr;
  int (*utilization)(Device, Utilization*) = nullptr;
  int (*memory)(Device, MemoryInfo*) = nullptr;
  int (*power_mw)(Device, unsigned int*) = nullptr;
  int (*temperature)(Device, int, unsigned int*) = nullptr;

  bool load() {
    void* library = dlopen("libnvidia-ml.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (library == nullptr) return false;
    const auto find = [library](auto& function, const char* name) {
      function =
          reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
      return function != nullptr;
    };
    return find(init, "nvmlInit_v2") && find(shutdown, "nvmlShutdown") &&
           find(handle_by_uuid, "nvmlDeviceGetHandleByUUID") &&
           find(utilization, "nvmlDeviceGetUtilizationRates") &&
           find(memory, "nvmlDeviceGetMemoryInfo") && find(power_mw, "nvmlDeviceGetPowerUsage") &&
           find(temperature, "nvmlDeviceGetTemperature") && init() == kSuccess;
  }
};

Nvml::Nvml() : functions_(new Functions()) {
  if (functions_->load()) return;
  delete functions_;
  functions_ = nullptr;
}

Nvml::~Nvml() {
  if (functions_ == nullptr) return;
  functions_->shutdown();
  delete functions_;
}

std::optional<DeviceSample> Nvml::sample(const std::string& uuid) {
  Device device = nullptr;
  Utilization utilization{};
  if (functions_ == nullptr || functions_->handle_by_uuid(uuid.c_str(), &device) != kSuccess ||
      functions_->utilization(device, &utilization) != kSuccess) {
    return std::nullopt;
  }
  DeviceSample sample;
  sample.utilisation = utilization.gpu / 100.0;
  MemoryInfo memory{};
  if (functions_->memory(device, &memory) == kSuccess) {
    sample.memory_used_bytes = static_cast<std::int64_t>(memory.used);
  }
  unsigned int value = 0;
  if (functions_->power_mw(device, &value) == kSuccess) sample.power_w = value / 1e3;
  if (functions_->temperature(device, kTemperatureOfGpu, &value) == kSuccess) {
    sample.temperature_c = value;
  }
  return sample;
}

}  // namespace lockstep::gpu
