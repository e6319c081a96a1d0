// The door to liblockstep_cuda.so: opens it once and hands out what it exports.
#include <lockstep/base/error.h>
#include <lockstep/base/module.h>
#include <lockstep/gpu/device.h>

namespace lockstep::gpu {

Backend& cuda_backend() {
  std::string reason;
  if (!cuda_device_present(&reason)) throw unavailable_error(reason);
  using Entry = Backend* (*)();
  static Backend* const backend = reinterpret_cast<Entry>(cuda_symbol("lockstep_cuda_backend"))();
  return *backend;
}

void* cuda_symbol(const char* name) { return module_symbol(open_module("cuda"), name); }

}  // namespace lockstep::gpu
