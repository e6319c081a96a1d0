// The optimizer on host arenas.
#pragma once

#include <lockstep/optim/optimizer.h>

#include <memory>

namespace lockstep::optim {

std::unique_ptr<Optimizer> make_cpu_optimizer(Arena& arena,
                                              const Options& options,
                                              const PrecisionOptions& precision,
                                              std::int64_t bad_flag_slot,
                                              const Shard& shard);

}  // namespace lockstep::optim
