// The device's update as plain C functions of liblockstep_cuda.so. No LibTorch here: the .cu side
// includes this too. Each function puts its kernels on `stream` and returns nullptr, or CUDA's text
// of what went wrong.
#pragma once

#include "rules.h"

#include <cstdint>

namespace lockstep::optim {

// A piece of a segment that one thread block updates.
struct Chunk {
  std::int64_t offset;  // of parameters and gradients; a multiple of 4 elements
  std::int64_t state;   // of the slots, likewise
  GroupFactors group;
  std::int32_t count;
  std::int32_t unused;
};
inline constexpr std::int64_t kChunkElements = 4096;

struct NormArguments {
  const float* gradients;  // (count)
  std::int64_t count;
  double* partials;  // (blocks), each written once: no atomics, so that sums are reproducible
  std::int32_t blocks;
};

struct SumArguments {
  const double* partials;
  std::int64_t num_partials;
  double* sum;
};

struct DecideArguments {
  const double* partials;
  std::int64_t num_partials;
  const float* bad_flag;  // nullptr: there is none
  const float* loss_sum;  // likewise
  UpdateSettings settings;
  UpdateBlock* block;
};

// A row whose gradient one thread block treats as a whole (rows.h).
struct DeviceRow {
  std::int64_t offset;
  std::int64_t length;
  float clip;
  std::int32_t centralise;
};

struct RowsArguments {
  const float* parameters;
  float* gradients;
  const DeviceRow* rows;
  std::int64_t num_rows;
  const UpdateBlock* block;
};

struct UpdateArguments {
  Rule rule;
  float* parameters;
  float* gradients;
  float* slots[kMaxSlots];  // as many as the rule has
  float* average;           // nullptr: there is none
  const Chunk* chunks;
  std::int64_t num_chunks;
  float* stats;
  std::int64_t num_stats;
  UpdateSettings settings;
  const UpdateBlock* block;
};

using NormFunction = const char* (*)(const NormArguments&, void* stream);
using SumFunction = const char* (*)(const SumArguments&, void* stream);
using DecideFunction = const char* (*)(const DecideArguments&, void* stream);
using RowFunction = const char* (*)(const RowsArguments&, void* stream);
using UpdateFunction = const char* (*)(const UpdateArguments&, void* stream);
inline constexpr const char* kNormSymbol = "lockstep_optim_norm";
inline constexpr const char* kSumSymbol = "lockstep_optim_sum";
inline constexpr const char* kDecideSymbol = "lockstep_optim_decide";
inline constexpr const char* kRowSymbol = "lockstep_optim_rows";
inline constexpr const char* kUpdateSymbol = "lockstep_optim_update";

}  // namespace lockstep::optim
