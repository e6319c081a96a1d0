#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/optim/options.h>

#include <algorithm>
#include <utility>

namespace lockstep::optim {
namespace {

struct ScheduleKeys {
  std::string name;
  std::vector<std::string_view> keys;  // of [schedule], beside name and warmup_steps
};

const std::vector<ScheduleKeys>& schedules() {
  static const std::vector<ScheduleKeys> all = {
      {"constant", {}},
      {"step", {"step_size", "gamma"}},
      {"multistep", {"milestones", "gamma"}},
      {"cosine", {"min_lr"}},
      {"cosine_restarts", {"min_lr", "period", "period_factor", "restart_factor"}},
      {"polynomial", {"min_lr", "power"}},
      {"linear", {"min_lr"}},
      {"wsd", {"min_lr", "decay_steps", "decay_shape"}},
      {"onecycle", {"min_lr", "start_divisor"}},
  };
  return all;
}

std::vector<std::string> schedule_names() {
  std::vector<std::string> names;
  for (const ScheduleKeys& schedule : schedules()) names.push_back(schedule.name);
  return names;
}

void bind_steps(OptionTable& table, ScheduleOptions& options) {
  table.add("schedule",
            "step_size",
            options.step_size,
            "steps",
            "step: every so many steps the rate is multiplied by gamma.");
  table.add("schedule",
            "milestones",
            options.milestones,
            "steps",
            "multistep: steps after the warm-up from which on the rate is multiplied by gamma once "
            "more.");
  table.add("schedule", "gamma", options.gamma, "", "step, multistep: the factor of the rate.");
}

void bind_restarts(OptionTable& table, ScheduleOptions& options) {
  table.add("schedule",
            "period",
            options.period,
            "steps",
            "cosine_restarts: length of the first period; the rate jumps back at its end.");
  table.add("schedule",
            "period_factor",
            options.period_factor,
            "",
            "cosine_restarts: each period is that many times as long as the one before.");
  table.add("schedule",
            "restart_factor",
            options.restart_factor,
            "",
            "cosine_restarts: each period's first rate is that many times that of the one before.");
}

void bind_shapes(OptionTable& table, ScheduleOptions& options) {
  table.add("schedule", "power", options.power, "", "polynomial: the exponent; 1 is linear.");
  table.add("schedule",
            "decay_steps",
            options.decay_steps,
            "steps",
            "wsd: the last steps of the run, over which the rate falls towards min_lr.");
  table.add("schedule",
            "decay_shape",
            options.decay_shape,
            "wsd: course of the fall. sqrt: 1 - sqrt(progress), fast at first.",
            {"linear", "sqrt", "cosine"});
  table.add("schedule",
            "start_divisor",
            options.start_divisor,
            "",
            "onecycle: the rise begins at the peak rate divided by this.");
}

void require_positive(const char* key, std::int64_t value, const std::string& schedule) {
  if (value >= 1) return;
  throw config_error(format(
      "schedule.{} = {} is not positive: schedule.name = {} needs it", key, value, schedule));
}

void check_restarts(const ScheduleOptions& options) {
  require_positive("period", options.period, options.name);
  require_positive("period_factor", options.period_factor, options.name);
  if (options.restart_factor <= 0 || options.restart_factor > 1) {
    throw config_error(
        format("schedule.restart_factor = {} is not above 0 and at most 1: 1 keeps peaks",
               options.restart_factor));
  }
}

void check_milestones(const std::vector<std::int64_t>& milestones) {
  if (milestones.empty()) {
    throw config_error("schedule.milestones is empty: schedule.name = multistep needs steps");
  }
  const std::int64_t least = std::ranges::min(milestones);
  if (least < 1) {
    throw config_error(
        format("schedule.milestones: {} is not positive: steps count from 1", least));
  }
  const auto fall = std::ranges::is_sorted_until(milestones);
  if (fall != milestones.end()) {
    throw config_error(
        format("schedule.milestones: {} stands after a larger step: sort them", *fall));
  }
}

}  // namespace

const std::vector<std::string_view>& keys_of(const ScheduleOptions& options) {
  const auto found = std::ranges::find(schedules(), options.name, &ScheduleKeys::name);
  if (found != schedules().end()) return found->keys;
  std::string names;
  for (const std::string& name : schedule_names()) names += (names.empty() ? "" : ", ") + name;
  throw config_error(format("schedule.name = {} is not known: use one of {}", options.name, names));
}

bool reads_min_lr(const ScheduleOptions& options) {
  return std::ranges::find(keys_of(options), "min_lr") != keys_of(options).end();
}

void bind_options(OptionTable& table, ScheduleOptions& options) {
  table.add("schedule",
            "name",
            options.name,
            "Course of the learning rate after the warm-up; steps count from its end. constant. "
            "step, multistep: falls by a factor. cosine, polynomial, linear: falls towards "
            "min_lr, which the step after the last would have. cosine_restarts: again and again. "
            "wsd: constant, then a fall at the "
            "end of the run. onecycle: rises over warmup_steps and falls, both along cosines.",
            schedule_names());
  table.add("schedule",
            "warmup_steps",
            options.warmup_steps,
            "steps",
            "Steps over which the learning rate rises linearly to its peak, along a cosine with "
            "onecycle. 0: none.");
  table.add("schedule",
            "min_lr",
            options.min_lr,
            "",
            "Learning rate that the fall heads for. optim.lr_rule does not change it.");
  bind_steps(table, options);
  bind_restarts(table, options);
  bind_shapes(table, options);
}

void validate(const ScheduleOptions& options) {
  static_cast<void>(keys_of(options));
  if (options.warmup_steps < 0) {
    throw config_error(
        format("schedule.warmup_steps = {} is negative: write 0 for none", options.warmup_steps));
  }
  if (options.min_lr < 0) {
    throw config_error(format("schedule.min_lr = {} is negative: write 0 or more", options.min_lr));
  }
  if (options.gamma <= 0 || options.gamma > 1) {
    throw config_error(
        format("schedule.gamma = {} is not above 0 and at most 1: 0.1 is usual", options.gamma));
  }
  if (options.power <= 0) {
    throw config_error(format("schedule.power = {} is not positive: 1 is linear", options.power));
  }
  if (options.start_divisor < 1) {
    throw config_error(
        format("schedule.start_divisor = {} is below 1: 25 is usual", options.start_divisor));
  }
  if (options.name == "step") require_positive("step_size", options.step_size, options.name);
  if (options.name == "multistep") check_milestones(options.milestones);
  if (options.name == "cosine_restarts") check_restarts(options);
  if (options.name == "wsd") require_positive("decay_steps", options.decay_steps, options.name);
  if (options.name == "onecycle") {
    require_positive("warmup_steps", options.warmup_steps, options.name);
  }
}

}  // namespace lockstep::optim
