// Settings of the optim module: optimizer, schedule, precision.
#pragma once

#include <lockstep/base/option.h>

#include <cstdint>
#include <string>

namespace lockstep::optim {

struct Options {
  std::string name = "adamw";
  double lr = 1e-3;
  double weight_decay = 0.05;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double clip_norm = 0;
};

// What an optimizer must hold at once to update any part of it.
enum class Granularity { kElement, kRow, kTensor };
// Throws: Error(kConfig) for an unknown optimizer.
Granularity granularity_of(const Options& options);

struct ScheduleOptions {
  std::string name = "cosine";
  std::int64_t warmup_steps = 0;
  double min_lr = 0;
};

struct PrecisionOptions {
  std::string compute = "fp32";
  double loss_scale = 65536;               // initial; fp16 only
  std::int64_t scale_growth_steps = 2000;  // clean steps before the scale doubles; fp16 only
};

void bind_options(OptionTable& table, Options& options);
void bind_options(OptionTable& table, ScheduleOptions& options);
void bind_options(OptionTable& table, PrecisionOptions& options);
// Throws: Error(kConfig).
void validate(const Options& options,
              const ScheduleOptions& schedule,
              const PrecisionOptions& precision);

}  // namespace lockstep::optim
