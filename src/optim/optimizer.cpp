#include "cpu_optimizer.h"
#include "cuda_optimizer.h"

#include <lockstep/base/error.h>
#include <lockstep/optim/optimizer.h>

namespace lockstep::optim {

std::unique_ptr<Optimizer> make_optimizer(Arena& arena,
                                          const Options& options,
                                          const PrecisionOptions& precision,
                                          std::int64_t bad_flag_slot,
                                          const Shard& shard) {
  LOCKSTEP_CHECK(bad_flag_slot < kNumStats, "the bad flag is one of the stats slots");
  LOCKSTEP_CHECK(need_of(options).granularity == Granularity::kElement || shard.group == nullptr,
                 "only an element-wise optimizer updates a part of the arena");
  return arena.device().is_cuda()
             ? make_cuda_optimizer(arena, options, precision, bad_flag_slot, shard)
             : make_cpu_optimizer(arena, options, precision, bad_flag_slot, shard);
}

}  // namespace lockstep::optim
