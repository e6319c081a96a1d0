// Settings of the optim module: optimizer, schedule, precision.
#pragma once

#include <lockstep/base/option.h>
#include <lockstep/optim/rule.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::optim {

// A beta of this value is the optimizer's usual one.
inline constexpr double kUsual = -1;

struct Options {
  std::string name = "adamw";
  double lr = 1e-3;
  std::string lr_rule = "none";
  std::int64_t lr_base_batch = 256;
  double weight_decay = 0.05;
  double beta1 = kUsual;
  double beta2 = kUsual;
  double beta3 = kUsual;
  double eps = 1e-8;
  double momentum = 0.9;
  double dampening = 0;
  bool nesterov = false;
  double clip_norm = 0;
  double clip_value = 0;
  double clip_agc = 0;
  bool centralize = false;
  std::string lr_factors;
  std::string decay_factors;
  double layer_decay = 1;
  std::string freeze;
  double ema_decay = 0;  // 0: none
  bool ema_warmup = false;
  double skip_loss_z = 0;  // 0: off
  double skip_norm_z = 0;  // 0: off
};

// What an optimizer must hold at once to update any part of it.
enum class Granularity { kElement, kRow, kTensor };

// All that is particular to an optimizer beside its element rule (src/optim/rules.h): pass, kernel,
// shards, resume, digest, options and their warnings read it here.
struct Description {
  std::string_view name;  // value of optim.name
  Rule rule;
  Granularity granularity;
  // Tensors of state a parameter, by the names of PyTorch or timm, in the order of the rule's
  // slots.
  std::vector<std::string_view> state;
  // Keys of [optim] that it reads beside those that all read.
  std::vector<std::string_view> keys;
  std::array<double, 3> betas;  // the usual ones
};

// SGD without momentum has no state. Throws: Error(kConfig) for an unknown optimizer.
const Description& describe(const Options& options);
// What the settings as a whole must hold at once, and because of which of them.
struct Need {
  Granularity granularity = Granularity::kElement;
  std::string because;
};
Need need_of(const Options& options);
// Names for optim.name, in order.
std::vector<std::string> optimizer_names();
// Keys of [optim] that some optimizers read and others do not.
const std::vector<std::string_view>& particular_keys();
// Betas with the optimizer's usual ones filled in.
std::array<double, 3> betas_of(const Options& options);

struct ScheduleOptions {
  std::string name = "cosine";
  std::int64_t warmup_steps = 0;
  double min_lr = 0;
  std::int64_t step_size = 0;
  std::vector<std::int64_t> milestones;
  double gamma = 0.1;
  std::int64_t period = 0;
  std::int64_t period_factor = 1;
  double restart_factor = 1;
  double power = 1;
  std::int64_t decay_steps = 0;
  std::string decay_shape = "linear";
  double start_divisor = 25;
};

// Keys of [schedule] that the schedule reads beside name and warmup_steps.
// Throws: Error(kConfig) for an unknown one.
const std::vector<std::string_view>& keys_of(const ScheduleOptions& options);
bool reads_min_lr(const ScheduleOptions& options);

struct PrecisionOptions {
  std::string compute = "fp32";
  std::string fp32_modules;                // globs on layers
  double loss_scale = 65536;               // initial; fp16 only
  std::int64_t scale_growth_steps = 2000;  // clean steps before the scale grows; fp16 only
  double scale_growth = 2;
  double scale_backoff = 0.5;
};

void bind_options(OptionTable& table, Options& options);
void bind_options(OptionTable& table, ScheduleOptions& options);
void bind_options(OptionTable& table, PrecisionOptions& options);
// Throws: Error(kConfig).
void validate(const Options& options);
void validate(const ScheduleOptions& options);
void validate(const PrecisionOptions& options);

}  // namespace lockstep::optim
