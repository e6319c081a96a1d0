#include "cpu_adamw.h"
#include "cuda_adamw.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/optim/optimizer.h>

namespace lockstep::optim {

std::unique_ptr<Optimizer> make_optimizer(Arena& arena,
                                          const Options& options,
                                          const PrecisionOptions& precision,
                                          std::int64_t bad_flag_slot) {
  LOCKSTEP_CHECK(bad_flag_slot < kNumStats, "the bad flag is one of the stats slots");
  if (options.name != "adamw") {
    throw config_error(format("optim.name = {} is not known: use adamw", options.name));
  }
  return arena.device().is_cuda() ? make_cuda_adamw(arena, options, precision, bad_flag_slot)
                                  : make_cpu_adamw(arena, options, precision, bad_flag_slot);
}

}  // namespace lockstep::optim
