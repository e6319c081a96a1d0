#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/optim/optimizer.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lockstep::optim {

double learning_rate(const Options& options,
                     const ScheduleOptions& schedule,
                     std::int64_t step,
                     std::int64_t total_steps) {
  LOCKSTEP_CHECK(step >= 1, "steps count from 1");
  const std::int64_t warmup = schedule.warmup_steps;
  if (step <= warmup) {
    return options.lr * static_cast<double>(step) / static_cast<double>(warmup);
  }
  if (schedule.name == "constant") return options.lr;
  if (schedule.name != "cosine") {
    throw config_error(
        format("schedule.name = {} is not known: use constant or cosine", schedule.name));
  }
  const std::int64_t span = std::max<std::int64_t>(total_steps - warmup, 1);
  const double progress =
      std::min(1.0, static_cast<double>(step - 1 - warmup) / static_cast<double>(span));
  const double fall = 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  return schedule.min_lr + (options.lr - schedule.min_lr) * fall;
}

}  // namespace lockstep::optim
