// Sums, minima and maxima over buffers of several ranks, in a fixed tree, on the host.
#pragma once

#include <lockstep/comm/types.h>

#include <cstddef>
#include <span>

namespace lockstep::comm {

// to[i] = ((sources[0][i] op sources[1][i]) op (sources[2][i] op sources[3][i])) op …: neighbours
// first, so that the result does not depend on who computes it, and with 2^k sources not on how
// they were summed in neighbouring groups before. `to` may be one of the sources. 16-bit floats are
// accumulated in fp32 and rounded once, to nearest even.
void reduce_in_order(
    std::span<const void* const> sources, void* to, std::size_t count, DType type, ReduceOp op);
// The same result in every target. Targets may be sources, at the same place or apart.
void reduce_to_all(std::span<const void* const> sources,
                   std::span<void* const> targets,
                   std::size_t count,
                   DType type,
                   ReduceOp op);

}  // namespace lockstep::comm
