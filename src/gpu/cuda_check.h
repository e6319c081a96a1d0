// Turns CUDA error codes into lockstep::Error. For the CUDA module only.
#pragma once

#include <cuda_runtime_api.h>

namespace lockstep::gpu {

// Throws: Error(kOutOfMemory) for an allocation that failed, else Error(kUnavailable), naming the
// call and CUDA's own words.
void check_cuda(cudaError_t code, const char* call);

}  // namespace lockstep::gpu
