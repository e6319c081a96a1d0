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
  const float loss_sum = a.loss_sum == nullptr ? 0.0F : *a.loss_sum;
  decide_update(a.settings, total, bad_flag, loss_sum, *a.block);
}

__device__ void clear(float* gradients, std::int32_t count) {
  for (std::int32_t i = threadIdx.x; i < count; i += kThreads) gradients[i] = 0.0F;
}

// Sum over the block in every thread.
__device__ double block_sum_for_all(double value) {
  __shared__ double shared;
  __syncthreads();  // block_sum and shared may still be read from the call before
  const double sum = block_sum(value);
  if (threadIdx.x == 0) shared = sum;
  __syncthreads();
  return shared;
}

__global__ void treat_rows(RowsArguments a) {
  if (a.block->factors.apply == 0) return;
  const DeviceRow row = a.rows[blockIdx.x];
  const float* const p = a.parameters + row.offset;
  float* const g = a.gradients + row.offset;
  if (row.clip > 0) {
    double size = 0;
    double norm = 0;
    for (std::int64_t i = threadIdx.x; i < row.length; i += kThreads) {
      size += square(p[i]);
      norm += square(g[i]);
    }
    size = sqrt(block_sum_for_all(size));
    norm = sqrt(block_sum_for_all(norm)) * static_cast<double>(a.block->factors.grad_factor);
    const float factor = agc_factor(size, norm, static_cast<double>(row.clip));
    for (std::int64_t i = threadIdx.x; i < row.length; i += kThreads) g[i] *= factor;
  }
  if (row.centralise == 0) return;
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < row.length; i += kThreads)
    sum += static_cast<double>(g[i]);
  const float mean = static_cast<float>(block_sum_for_all(sum) / static_cast<double>(row.length));
  for (std::int64_t i = threadIdx.x; i < row.length; i += kThreads) g[i] -= mean;
}

// One element with all that it owns; `i` among parameters and gradients, `j` among the slots.
template <class R, bool kAverage>
__device__ void update_one(const UpdateArguments& a,
                           const typename R::Factors& f,
                           const UpdateFactors& step,
                           std::int64_t i,
                           std::int64_t j) {
  float s[kMaxSlots];
  for (int k = 0; k < R::kSlots; ++k) s[k] = a.slots[k][j];
  float p = a.parameters[i];
  R::update(f, p, usable_gradient(a.gradients[i], step.grad_factor, step.clip_value), s);
  a.parameters[i] = p;
  for (int k = 0; k < R::kSlots; ++k) a.slots[k][j] = s[k];
  if (kAverage) a.average[j] += (p - a.average[j]) * step.ema_weight;
  a.gradients[i] = 0.0F;
}

// Four elements in one load and one store of each array.
struct alignas(16) Quad {
  float at[4];
};

template <class R, bool kAverage>
__device__ void update_quad(const UpdateArguments& a,
                            const typename R::Factors& f,
                            const UpdateFactors& step,
                            std::int64_t i,
                            std::int64_t j) {
  Quad p = *reinterpret_cast<const Quad*>(a.parameters + i);
  const Quad g = *reinterpret_cast<const Quad*>(a.gradients + i);
  Quad slots[kMaxSlots];
  for (int k = 0; k < R::kSlots; ++k) slots[k] = *reinterpret_cast<const Quad*>(a.slots[k] + j);
  for (int e = 0; e < 4; ++e) {
    float s[kMaxSlots];
    for (int k = 0; k < R::kSlots; ++k) s[k] = slots[k].at[e];
    R::update(f, p.at[e], usable_gradient(g.at[e], step.grad_factor, step.clip_value), s);
    for (int k = 0; k < R::kSlots; ++k) slots[k].at[e] = s[k];
  }
  *reinterpret_cast<Quad*>(a.parameters + i) = p;
  for (int k = 0; k < R::kSlots; ++k) *reinterpret_cast<Quad*>(a.slots[k] + j) = slots[k];
  if (kAverage) {
    Quad mean = *reinterpret_cast<const Quad*>(a.average + j);
    for (int e = 0; e < 4; ++e) mean.at[e] += (p.at[e] - mean.at[e]) * step.ema_weight;
    *reinterpret_cast<Quad*>(a.average + j) = mean;
  }
  *reinterpret_cast<Quad*>(a.gradients + i) = Quad{};
}

template <class R, bool kAverage>
__global__ void update(UpdateArguments a) {
  const Chunk chunk = a.chunks[blockIdx.x];
  if (blockIdx.x == 0) clear(a.stats, static_cast<std::int32_t>(a.num_stats));
  if (a.block->factors.apply == 0) {
    clear(a.gradients + chunk.offset, chunk.count);
    return;
  }
  const typename R::Factors f = R::factors(a.settings, *a.block, chunk.group);
  const UpdateFactors step = a.block->factors;
  const std::int32_t quads = chunk.count / 4;
  for (std::int32_t q = threadIdx.x; q < quads; q += kThreads) {
    update_quad<R, kAverage>(a, f, step, chunk.offset + 4 * q, chunk.state + 4 * q);
  }
  // Up to three elements after the last whole quad.
  const std::int32_t tail = 4 * quads + static_cast<std::int32_t>(threadIdx.x);
  if (tail < chunk.count) {
    update_one<R, kAverage>(a, f, step, chunk.offset + tail, chunk.state + tail);
  }
}

using UpdateKernel = void (*)(UpdateArguments);

template <class... R>
UpdateKernel kernel_of(const UpdateArguments& a, RuleList<R...> /*rules*/) {
  static constexpr UpdateKernel kKernels[] = {update<R, false>...};
  static constexpr UpdateKernel kAveraging[] = {update<R, true>...};
  return (a.average == nullptr ? kKernels : kAveraging)[static_cast<int>(a.rule)];
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

extern "C" const char* lockstep_optim_rows(const RowsArguments& a, void* stream) {
  treat_rows<<<static_cast<unsigned>(a.num_rows), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(
      a);
  return launch_error();
}

extern "C" const char* lockstep_optim_update(const UpdateArguments& a, void* stream) {
  kernel_of(a, AllRules{})<<<static_cast<unsigned>(a.num_chunks),
                             kThreads,
                             0,
                             static_cast<cudaStream_t>(stream)>>>(a);
  return launch_error();
}
