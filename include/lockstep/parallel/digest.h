// Do all ranks still hold the same? Replicas of a data-parallel run are equal bit for bit; where
// they are not, memory, a device or code outside of the step is at fault, and results are worth
// nothing.
#pragma once

#include <lockstep/comm/world.h>
#include <lockstep/optim/optimizer.h>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep::parallel {

// A part of the state that is told apart in messages.
struct DigestPart {
  std::string name;  // "the parameters"
  std::vector<at::Tensor> tensors;
};

// 64 bits of the words of the tensors, in order. Any one flipped bit changes it. On CUDA a few
// kernels and a host read a tensor. Requires: contiguous tensors of 4-byte or 8-byte elements.
std::uint64_t digest_of(const std::vector<at::Tensor>& tensors);

// Parameters and what all ranks hold of the optimizer state, scaler included; with a shard the
// moments are left out.
std::vector<DigestPart> replicated_state(optim::Arena& arena, optim::Optimizer& optimizer);

// Collective: on the control plane. Throws on all ranks alike: AgreedError(kDiverged) that names
// the part, the step and the odd rank; with two ranks no rank.
void compare_digests(comm::World& world, const std::vector<DigestPart>& parts, std::int64_t step);

}  // namespace lockstep::parallel
