// Whether an NVIDIA driver with a device is there, asked of the driver itself so that no CUDA
// library is loaded for the answer.
#include <lockstep/base/format.h>
#include <lockstep/base/process.h>
#include <lockstep/gpu/device.h>

#include <dlfcn.h>

#include <string>

namespace lockstep::gpu {
namespace {

constexpr int kSuccess = 0;
constexpr int kNoDevice = 100;        // CUDA_ERROR_NO_DEVICE
constexpr int kDriverMismatch = 803;  // CUDA_ERROR_SYSTEM_DRIVER_MISMATCH

using InitFunction = int (*)(unsigned int);
using CountFunction = int (*)(int*);
using ErrorTextFunction = int (*)(int, const char**);

std::string hidden_by_environment() {
  const auto visible = environment("CUDA_VISIBLE_DEVICES");
  if (!visible) return {};
  return format(" (CUDA_VISIBLE_DEVICES is \"{}\")", *visible);
}

std::string error_text(void* driver, int code) {
  const auto get = reinterpret_cast<ErrorTextFunction>(dlsym(driver, "cuGetErrorString"));
  const char* text = nullptr;
  if (get != nullptr && get(code, &text) == kSuccess && text != nullptr) return text;
  return "unknown error";
}

// Empty when a device is there.
std::string find_reason() {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver == nullptr) {
    return "no NVIDIA driver on this machine: libcuda.so.1 cannot be loaded; install the driver or "
           "use --run.device cpu";
  }
  const auto init = reinterpret_cast<InitFunction>(dlsym(driver, "cuInit"));
  const auto count = reinterpret_cast<CountFunction>(dlsym(driver, "cuDeviceGetCount"));
  if (init == nullptr || count == nullptr) {
    return "libcuda.so.1 is not an NVIDIA driver: cuInit is missing; reinstall the driver or use "
           "--run.device cpu";
  }
  int devices = 0;
  int code = init(0);
  if (code == kSuccess) code = count(&devices);
  if (code == kNoDevice || (code == kSuccess && devices == 0)) {
    return format("the NVIDIA driver sees no device{}; use --run.device cpu",
                  hidden_by_environment());
  }
  if (code == kDriverMismatch) {
    return "the NVIDIA driver's library and kernel module differ in version: restart the machine "
           "or "
           "reinstall the driver";
  }
  if (code != kSuccess) {
    return format("the NVIDIA driver does not start: {} (CUDA error {}); nvidia-smi says more",
                  error_text(driver, code),
                  code);
  }
  return {};
}

}  // namespace

bool cuda_device_present(std::string* reason) {
  // Asked once: cuInit's answer does not change within a process.
  static const auto* const answer = new std::string(find_reason());
  if (reason != nullptr) *reason = *answer;
  return answer->empty();
}

}  // namespace lockstep::gpu
