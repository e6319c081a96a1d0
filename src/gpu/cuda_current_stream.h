// The stream that LibTorch's work goes to; apart, because it is the one look into LibTorch here.
#pragma once

#include <cuda_runtime_api.h>

namespace lockstep::gpu {

// Of the calling thread, on the current device.
cudaStream_t torch_current_stream();

}  // namespace lockstep::gpu
