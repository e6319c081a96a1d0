#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/optim/optimizer.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lockstep::optim {
namespace {

// Where a schedule stands after its warm-up.
struct Place {
  double peak = 0;
  std::int64_t step = 0;   // 0: the first after the warm-up
  std::int64_t steps = 1;  // of the run after the warm-up
};

double share(std::int64_t part, std::int64_t whole) {
  return std::clamp(
      static_cast<double>(part) / static_cast<double>(std::max<std::int64_t>(whole, 1)), 0.0, 1.0);
}

// From `high` at 0 to `low` at 1 along half a cosine.
double cosine(double high, double low, double progress) {
  return low + (high - low) * 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
}

double step_rate(const ScheduleOptions& options, const Place& place) {
  return place.peak * std::pow(options.gamma, static_cast<double>(place.step / options.step_size));
}

double multistep_rate(const ScheduleOptions& options, const Place& place) {
  const auto passed =
      std::ranges::count_if(options.milestones, [&](std::int64_t m) { return m <= place.step; });
  return place.peak * std::pow(options.gamma, static_cast<double>(passed));
}

double restarts_rate(const ScheduleOptions& options, const Place& place) {
  std::int64_t begin = 0;
  std::int64_t period = options.period;
  double peak = place.peak;
  if (options.period_factor == 1) {
    const std::int64_t restarts = place.step / period;
    begin = restarts * period;
    peak *= std::pow(options.restart_factor, static_cast<double>(restarts));
  }
  while (place.step - begin >= period) {
    begin += period;
    // Longer than the run is long enough; the product may not overflow.
    period = period > place.steps / options.period_factor ? place.steps + 1
                                                          : period * options.period_factor;
    peak *= options.restart_factor;
  }
  return cosine(peak, std::min(options.min_lr, peak), share(place.step - begin, period));
}

double polynomial_rate(double power, double min_lr, const Place& place) {
  const double rest = 1.0 - share(place.step, place.steps);
  return min_lr + (place.peak - min_lr) * std::pow(rest, power);
}

double wsd_rate(const ScheduleOptions& options, const Place& place) {
  const double progress =
      share(place.step - (place.steps - options.decay_steps), options.decay_steps);
  if (options.decay_shape == "cosine") return cosine(place.peak, options.min_lr, progress);
  const double fall = options.decay_shape == "sqrt" ? std::sqrt(progress) : progress;
  return options.min_lr + (place.peak - options.min_lr) * (1.0 - fall);
}

double rate_after_warmup(const ScheduleOptions& options, const Place& place) {
  if (options.name == "constant") return place.peak;
  if (options.name == "cosine") {
    return cosine(place.peak, options.min_lr, share(place.step, place.steps));
  }
  if (options.name == "cosine_restarts") return restarts_rate(options, place);
  if (options.name == "step") return step_rate(options, place);
  if (options.name == "multistep") return multistep_rate(options, place);
  if (options.name == "linear") return polynomial_rate(1.0, options.min_lr, place);
  if (options.name == "polynomial") return polynomial_rate(options.power, options.min_lr, place);
  if (options.name == "wsd") return wsd_rate(options, place);
  // The step that ends the rise is the first of the fall, as torch's OneCycleLR counts.
  if (options.name == "onecycle") {
    return cosine(place.peak, options.min_lr, share(place.step + 1, place.steps));
  }
  throw config_error(format("schedule.name = {} is not known", options.name));
}

double warmup_rate(const ScheduleOptions& options, double peak, std::int64_t step) {
  if (options.name != "onecycle") return peak * share(step, options.warmup_steps);
  if (options.warmup_steps == 1) return peak;
  return cosine(peak / options.start_divisor, peak, share(step - 1, options.warmup_steps - 1));
}

}  // namespace

double peak_lr(const Options& options, std::int64_t samples_per_step) {
  const double ratio =
      static_cast<double>(samples_per_step) / static_cast<double>(options.lr_base_batch);
  if (options.lr_rule == "linear") return options.lr * ratio;
  if (options.lr_rule == "sqrt") return options.lr * std::sqrt(ratio);
  return options.lr;
}

double learning_rate(double peak,
                     const ScheduleOptions& schedule,
                     std::int64_t step,
                     std::int64_t total_steps) {
  LOCKSTEP_CHECK(step >= 1, "steps count from 1");
  const std::int64_t warmup = schedule.warmup_steps;
  if (step <= warmup) return warmup_rate(schedule, peak, step);
  return rate_after_warmup(schedule, {peak, step - 1 - warmup, total_steps - warmup});
}

void check_fits_run(const ScheduleOptions& schedule, double peak, std::int64_t total_steps) {
  if (schedule.warmup_steps > total_steps) {
    throw config_error(
        format("schedule.warmup_steps = {} is longer than the run of {} steps: shorten it",
               schedule.warmup_steps,
               total_steps));
  }
  if (schedule.name == "wsd" && schedule.warmup_steps + schedule.decay_steps > total_steps) {
    throw config_error(
        format("schedule.warmup_steps = {} and schedule.decay_steps = {} are longer than the run "
               "of {} steps: shorten one",
               schedule.warmup_steps,
               schedule.decay_steps,
               total_steps));
  }
  if (reads_min_lr(schedule) && schedule.min_lr > peak) {
    throw config_error(format(
        "schedule.min_lr = {} is above the peak rate of {}: the rate would rise after the warm-up",
        schedule.min_lr,
        peak));
  }
}

}  // namespace lockstep::optim
