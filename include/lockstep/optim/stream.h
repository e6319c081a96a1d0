// The stream that LibTorch's current work on a device goes to, without CUDA headers.
#pragma once

#include <lockstep/gpu/device.h>

#include <c10/core/Device.h>

namespace lockstep::optim {

// The calling thread's current stream of `device`; the null handle on the host.
gpu::StreamHandle current_stream(const c10::Device& device);

}  // namespace lockstep::optim
