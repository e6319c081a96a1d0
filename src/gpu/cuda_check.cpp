#include "cuda_check.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

namespace lockstep::gpu {

void check_cuda(cudaError_t code, const char* call) {
  if (code == cudaSuccess) return;
  if (code == cudaErrorMemoryAllocation) {
    throw Error(ExitCode::kOutOfMemory,
                format("{} failed: {}; use a smaller batch or memory.recompute",
                       call,
                       cudaGetErrorString(code)));
  }
  if (code == cudaErrorInsufficientDriver) {
    int runtime = 0;
    cudaRuntimeGetVersion(&runtime);
    throw unavailable_error(
        format("the NVIDIA driver is too old for CUDA {}.{}: update the driver, "
               "build with an older CUDA, or use --run.device cpu",
               runtime / 1000,
               runtime % 1000 / 10));
  }
  throw unavailable_error(
      format("{} failed: {} ({})", call, cudaGetErrorString(code), cudaGetErrorName(code)));
}

}  // namespace lockstep::gpu
