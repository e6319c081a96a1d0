// The device's update: norm partials, one small kernel that decides, one pass over the arena. Equal
// to cpu_adamw.cpp to rounding. No host read, no atomics, no LibTorch.
#include "cuda_kernels.h"

#include <cuda_runtime.h>

namespace {

using namespace lockstep::optim;

constexpr int kThreads = 256;

// Sum over the block, in a fixed order; the result is valid in thread 0.
__device__ double block_sum(double value) {
  __shared__ double warp_sums[kThreads / 32];
  for (int offset = 16; offset > 0; offset /= 2) {
    value += __shfl_down_sync(0xffffffffU, value, offset);
  }
  if (threadIdx.x % 32 == 0) warp_sums[threadIdx.x / 32] = value;
  __syncthreads();
  double sum = 0;
  if (threadIdx.x == 0) {
    for (int warp = 0; warp < kThreads / 32; ++warp) sum += warp_sums[warp];
  }
  return sum;
}

__device__ double square(float x) { return static_cast<double>(x) * static_cast<double>(x); }

// A float sum of four squares would overflow for scaled fp16 gradients: the squares are doubles.
__global__ void norm_partials(NormArguments a) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * kThreads;
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  const std::int64_t quads = a.count / 4;
  const float4* const vectors = reinterpret_cast<const float4*>(a.gradients);
  double sum = 0;
  for (std::int64_t i = first; i < quads; i += stride) {
    const float4 g = vectors[i];
    sum += (square(g.x) + square(g.y)) + (square(g.z) + square(g.w));
  }
  for (std::int64_t i = quads * 4 + first; i < a.count; i += stride) sum += square(a.gradients[i]);
  const double total = block_sum(sum);
  if (threadIdx.x == 0) a.partials[blockIdx.x] = total;
}

// The result is valid in thread 0.
__device__ double sum_of(const double* partials, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += kThreads) sum += partials[i];
  return block_sum(sum);
}

__global__ void sum_partials(SumArguments a) {
  const double total = sum_of(a.partials, a.num_partials);
  if (threadIdx.x == 0) *a.sum = total;
}

__global__ void decide(DecideArguments a) {
  const double total = sum_of(a.partials, a.num_partials);
  if (threadIdx.x != 0) return;
  const float bad_flag = a.bad_flag == nullptr ? 0.0F : *a.bad_flag;
  decide_update(a.settings, total, bad_flag, *a.block);
}

__device__ void clear(float* gradients, std::int32_t count) {
  for (std::int32_t i = threadIdx.x; i < count; i += kThreads) gradients[i] = 0.0F;
}

__device__ void update_quads(const AdamwArguments& a, const Chunk& chunk, const ElementFactors& f) {
  float4* const p4 = reinterpret_cast<float4*>(a.parameters + chunk.offset);
  float4* const m4 = reinterpret_cast<float4*>(a.first + chunk.moments);
  float4* const v4 = reinterpret_cast<float4*>(a.second + chunk.moments);
  float4* const g4 = reinterpret_cast<float4*>(a.gradients + chunk.offset);
  for (std::int32_t i = threadIdx.x; i < chunk.count / 4; i += kThreads) {
    float4 p = p4[i];
    float4 m = m4[i];
    float4 v = v4[i];
    const float4 g = g4[i];
    update_element(f, p.x, m.x, v.x, g.x);
    update_element(f, p.y, m.y, v.y, g.y);
    update_element(f, p.z, m.z, v.z, g.z);
    update_element(f, p.w, m.w, v.w, g.w);
    p4[i] = p;
    m4[i] = m;
    v4[i] = v;
    g4[i] = make_float4(0.0F, 0.0F, 0.0F, 0.0F);
  }
}

__global__ void adamw(AdamwArguments a) {
  const Chunk chunk = a.chunks[blockIdx.x];
  if (blockIdx.x == 0) clear(a.stats, static_cast<std::int32_t>(a.num_stats));
  if (a.block->factors.apply == 0) {
    clear(a.gradients + chunk.offset, chunk.count);
    return;
  }
  const ElementFactors f =
      element_factors(a.settings, *a.block, chunk.lr_factor, chunk.weight_decay);
  update_quads(a, chunk, f);
  const std::int32_t tail = chunk.count / 4 * 4 + static_cast<std::int32_t>(threadIdx.x);
  if (tail < chunk.count) {
    const std::int64_t i = chunk.offset + tail;
    const std::int64_t j = chunk.moments + tail;
    update_element(f, a.parameters[i], a.first[j], a.second[j], a.gradients[i]);
    a.gradients[i] = 0.0F;
  }
}

const char* launch_error() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace

extern "C" const char* lockstep_optim_norm(const NormArguments& a, void* stream) {
  norm_partials<<<static_cast<unsigned>(a.blocks),
                  kThreads,
                  0,
                  static_cast<cudaStream_t>(stream)>>>(a);
  return launch_error();
}

extern "C" const char* lockstep_optim_sum(const SumArguments& a, void* stream) {
  sum_partials<<<1, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(a);
  return launch_error();
}

extern "C" const char* lockstep_optim_decide(const DecideArguments& a, void* stream) {
  decide<<<1, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(a);
  return launch_error();
}

extern "C" const char* lockstep_optim_adamw(const AdamwArguments& a, void* stream) {
  adamw<<<static_cast<unsigned>(a.num_chunks), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(a);
  return launch_error();
}
