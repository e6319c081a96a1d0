// The device's update: norm partials, one small kernel that decides, one pass over the arena. Equal
// to cpu_optimizer.cpp to rounding. No host read, no atomics, no LibTorch.
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

template <class R>
__device__ void update_quads(const UpdateArguments& a,
                             const Chunk& chunk,
                             const typename R::Factors& f,
                             float grad_factor) {
  float4* const p4 = reinterpret_cast<float4*>(a.parameters + chunk.offset);
  float4* const g4 = reinterpret_cast<float4*>(a.gradients + chunk.offset);
  for (std::int32_t i = threadIdx.x; i < chunk.count / 4; i += kThreads) {
    float4 p = p4[i];
    const float4 g = g4[i];
    float4 s4[kMaxSlots];
    for (int k = 0; k < R::kSlots; ++k) {
      s4[k] = reinterpret_cast<const float4*>(a.slots[k] + chunk.state)[i];
    }
    float s[4][kMaxSlots];
    for (int k = 0; k < R::kSlots; ++k) {
      s[0][k] = s4[k].x;
      s[1][k] = s4[k].y;
      s[2][k] = s4[k].z;
      s[3][k] = s4[k].w;
    }
    R::update(f, p.x, g.x * grad_factor, s[0]);
    R::update(f, p.y, g.y * grad_factor, s[1]);
    R::update(f, p.z, g.z * grad_factor, s[2]);
    R::update(f, p.w, g.w * grad_factor, s[3]);
    p4[i] = p;
    for (int k = 0; k < R::kSlots; ++k) {
      reinterpret_cast<float4*>(a.slots[k] + chunk.state)[i] =
          make_float4(s[0][k], s[1][k], s[2][k], s[3][k]);
    }
    g4[i] = make_float4(0.0F, 0.0F, 0.0F, 0.0F);
  }
}

// The up to three elements after the last whole quad of a chunk.
template <class R>
__device__ void update_tail(const UpdateArguments& a,
                            const Chunk& chunk,
                            const typename R::Factors& f,
                            float grad_factor) {
  const std::int32_t tail = chunk.count / 4 * 4 + static_cast<std::int32_t>(threadIdx.x);
  if (tail >= chunk.count) return;
  const std::int64_t i = chunk.offset + tail;
  const std::int64_t j = chunk.state + tail;
  float s[kMaxSlots];
  for (int k = 0; k < R::kSlots; ++k) s[k] = a.slots[k][j];
  R::update(f, a.parameters[i], a.gradients[i] * grad_factor, s);
  for (int k = 0; k < R::kSlots; ++k) a.slots[k][j] = s[k];
  a.gradients[i] = 0.0F;
}

template <class R>
__global__ void update(UpdateArguments a) {
  const Chunk chunk = a.chunks[blockIdx.x];
  if (blockIdx.x == 0) clear(a.stats, static_cast<std::int32_t>(a.num_stats));
  if (a.block->factors.apply == 0) {
    clear(a.gradients + chunk.offset, chunk.count);
    return;
  }
  const typename R::Factors f = R::factors(a.settings, *a.block, chunk.group);
  const float grad_factor = a.block->factors.grad_factor;
  update_quads<R>(a, chunk, f, grad_factor);
  update_tail<R>(a, chunk, f, grad_factor);
}

using UpdateKernel = void (*)(UpdateArguments);

template <class... R>
UpdateKernel kernel_of(Rule rule, RuleList<R...> /*rules*/) {
  static constexpr UpdateKernel kKernels[] = {update<R>...};
  return kKernels[static_cast<int>(rule)];
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

extern "C" const char* lockstep_optim_update(const UpdateArguments& a, void* stream) {
  kernel_of(a.rule, AllRules{})<<<static_cast<unsigned>(a.num_chunks),
                                  kThreads,
                                  0,
                                  static_cast<cudaStream_t>(stream)>>>(a);
  return launch_error();
}
