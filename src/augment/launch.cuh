// How kernels over the places of a batch are started: threads stride over what the grid leaves.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace lockstep::augment {

constexpr int kThreads = 256;  // a block

// Blocks for so many places; 0 for none.
inline unsigned blocks_for(std::int64_t places) {
  constexpr std::int64_t kMostBlocks = 4096;
  const std::int64_t blocks = (places + kThreads - 1) / kThreads;
  return static_cast<unsigned>(blocks < kMostBlocks ? blocks : kMostBlocks);
}

// Why the kernels since the last call did not start; null when they did.
inline const char* launch_error() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace lockstep::augment
