#include "cuda_current_stream.h"

#include <c10/cuda/CUDAStream.h>

namespace lockstep::gpu {

cudaStream_t torch_current_stream() { return c10::cuda::getCurrentCUDAStream().stream(); }

}  // namespace lockstep::gpu
