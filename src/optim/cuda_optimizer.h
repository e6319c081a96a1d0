// The optimizer on CUDA arenas; the kernels live in liblockstep_cuda.so.
#pragma once

#include <lockstep/optim/optimizer.h>

#include <memory>

namespace lockstep::optim {

std::unique_ptr<Optimizer> make_cuda_optimizer(Arena& arena,
                                               const Options& options,
                                               const PrecisionOptions& precision,
                                               std::int64_t bad_flag_slot,
                                               const Shard& shard);

}  // namespace lockstep::optim
