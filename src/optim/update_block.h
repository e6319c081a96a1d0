// The scalars of an update, laid out alike on host and device, and the rules that make them: found
// non-finite, spikes, clipping, loss scale, bias corrections, decay of the average. The host's and
// the device's update both include this, so that they decide alike. Knows no LibTorch.
#pragma once

#include <cmath>
#include <cstdint>

#ifdef __CUDACC__
#define LOCKSTEP_HOST_DEVICE __host__ __device__
#else
#define LOCKSTEP_HOST_DEVICE
#endif

namespace lockstep::optim {

// Steps that a spike is compared with.
inline constexpr int kSpikeWindow = 128;
inline constexpr float kNoLimit = 3.402823466e38F;

// Fixed for a run.
struct UpdateSettings {
  double betas[3];
  double eps;
  double momentum;
  double dampening;
  double clip_norm;     // 0: no clipping
  double clip_value;    // 0: no clipping
  double ema_decay;     // of the averaged weights
  double skip_loss_z;   // 0: no guard
  double skip_norm_z;   // 0: no guard
  double scale_growth;  // factors of the loss scale
  double scale_backoff;
  std::int64_t growth_steps;  // clean steps before the loss scale grows
  std::int32_t scaling;       // 1: dynamic loss scale
  std::int32_t nesterov;
  std::int32_t ema_warmup;
  std::int32_t unused;
};

// Carried from step to step: what a resume needs beside the slots.
struct UpdateState {
  std::int64_t steps;        // updates applied so far: t of the bias corrections
  std::int64_t clean_steps;  // since the loss scale last changed
  float loss_scale;
  float unused;
};

// Losses and norms of the last finite steps, spikes among them, so that a lasting change is not
// skipped for ever.
struct SpikeWindows {
  double losses[kSpikeWindow];
  double norms[kSpikeWindow];
  std::int64_t count;  // values seen so far
};

// Written by the host before each update.
struct StepValues {
  double lr;
  double samples;  // of the global step, for the mean loss
};

// Of one step.
struct UpdateFactors {
  double corrections[3];  // 1 - beta^t
  float grad_factor;      // clip coefficient / loss scale
  float clip_value;       // largest size of an element after grad_factor
  float ema_weight;       // of the new parameters in their average
  std::int32_t apply;     // 0: the step is skipped
};

enum class Skip : std::int64_t { kNone, kNotFinite, kSpike };

struct UpdateOutcome {
  double grad_norm;
  double loss_scale;
  Skip skip;
};

struct UpdateBlock {
  UpdateState state;
  SpikeWindows windows;
  StepValues now;
  UpdateFactors factors;
  UpdateOutcome outcome;
};

LOCKSTEP_HOST_DEVICE inline bool is_finite(double value) { return value - value == 0.0; }

// Loss scale after a step, as PyTorch's GradScaler: shrinks after an overflow, grows after
// `growth_steps` clean steps in a row while the grown scale is finite.
LOCKSTEP_HOST_DEVICE inline void adapt_loss_scale(const UpdateSettings& settings,
                                                  bool overflow,
                                                  UpdateState& state) {
  if (settings.scaling == 0) return;
  const double scale = static_cast<double>(state.loss_scale);
  if (overflow) {
    state.loss_scale = static_cast<float>(scale * settings.scale_backoff);
    state.clean_steps = 0;
    return;
  }
  state.clean_steps += 1;
  if (state.clean_steps < settings.growth_steps) return;
  const double grown = scale * settings.scale_growth;
  if (grown <= static_cast<double>(kNoLimit)) state.loss_scale = static_cast<float>(grown);
  state.clean_steps = 0;
}

// Standard deviations of `value` above the mean of a full window; 0 before it is full, and when all
// its values are equal.
LOCKSTEP_HOST_DEVICE inline double z_score(const double* window, std::int64_t count, double value) {
  if (count < kSpikeWindow) return 0.0;
  double mean = 0;
  for (int i = 0; i < kSpikeWindow; ++i) mean += window[i] / kSpikeWindow;
  double variance = 0;
  for (int i = 0; i < kSpikeWindow; ++i) {
    variance += (window[i] - mean) * (window[i] - mean) / kSpikeWindow;
  }
  return variance > 0 ? (value - mean) / sqrt(variance) : 0.0;
}

// True when this step is to be skipped. Values are finite: nothing else enters the windows.
LOCKSTEP_HOST_DEVICE inline bool watch_spikes(const UpdateSettings& settings,
                                              double loss,
                                              double norm,
                                              SpikeWindows& windows) {
  if (settings.skip_loss_z == 0 && settings.skip_norm_z == 0) return false;
  const double loss_z = z_score(windows.losses, windows.count, loss);
  const double norm_z = z_score(windows.norms, windows.count, norm);
  const std::int64_t slot = windows.count % kSpikeWindow;
  windows.losses[slot] = loss;
  windows.norms[slot] = norm;
  windows.count += 1;
  return (settings.skip_loss_z > 0 && loss_z > settings.skip_loss_z) ||
         (settings.skip_norm_z > 0 && norm_z > settings.skip_norm_z);
}

// Share of the new parameters in their average, as timm's ModelEmaV3: all of them at the first
// update, then 1 - decay; with a warm-up the decay rises as 1 - t^(-2/3).
LOCKSTEP_HOST_DEVICE inline double average_weight(const UpdateSettings& settings, double t) {
  if (t <= 1) return 1.0;
  double decay = settings.ema_decay;
  if (settings.ema_warmup != 0) {
    const double rising = 1.0 - pow(t, -2.0 / 3.0);
    if (rising < decay) decay = rising;
  }
  return 1.0 - decay;
}

LOCKSTEP_HOST_DEVICE inline void fill_factors(const UpdateSettings& settings,
                                              double norm,
                                              double scale,
                                              UpdateBlock& block) {
  // As torch.nn.utils.clip_grad_norm_.
  double coefficient = 1.0;
  if (settings.clip_norm > 0) coefficient = settings.clip_norm / (norm + 1e-6);
  if (coefficient > 1.0) coefficient = 1.0;
  block.state.steps += 1;
  const double t = static_cast<double>(block.state.steps);
  UpdateFactors& factors = block.factors;
  factors.grad_factor = static_cast<float>(coefficient / scale);
  factors.clip_value = settings.clip_value > 0 ? static_cast<float>(settings.clip_value) : kNoLimit;
  factors.ema_weight = static_cast<float>(average_weight(settings, t));
  for (int i = 0; i < 3; ++i) factors.corrections[i] = 1.0 - pow(settings.betas[i], t);
}

// From the sum of squares of the scaled gradients, the summed bad flag and the summed loss to
// everything that the element-wise pass needs. A raised bad flag says nothing about the loss scale
// and leaves it alone.
LOCKSTEP_HOST_DEVICE inline void decide_update(const UpdateSettings& settings,
                                               double sum_of_squares,
                                               float bad_flag,
                                               float loss_sum,
                                               UpdateBlock& block) {
  UpdateState& state = block.state;
  const double scale = static_cast<double>(state.loss_scale);
  const double norm = sqrt(sum_of_squares) / scale;
  const double loss =
      static_cast<double>(loss_sum) / (block.now.samples > 0 ? block.now.samples : 1);
  const bool finite = is_finite(sum_of_squares);
  const bool bad = !(bad_flag == 0.0F);
  const bool usable = finite && !bad && is_finite(loss);
  block.outcome.grad_norm = norm;
  block.outcome.loss_scale = scale;
  block.outcome.skip = usable ? Skip::kNone : Skip::kNotFinite;
  if (usable && watch_spikes(settings, loss, norm, block.windows)) {
    block.outcome.skip = Skip::kSpike;
  }
  block.factors.apply = block.outcome.skip == Skip::kNone ? 1 : 0;
  if (!bad) adapt_loss_scale(settings, !finite, state);
  if (block.factors.apply != 0) fill_factors(settings, norm, scale, block);
}

// Adaptive clipping (Brock et al. 2021, equation 3) as timm's adaptive_clip_grad: the factor of a
// row's gradient, given the norms of the row and of its gradient.
LOCKSTEP_HOST_DEVICE inline float agc_factor(double size, double norm, double clip) {
  const double limit = (size > 1e-3 ? size : 1e-3) * clip;
  if (norm < limit) return 1.0F;
  return static_cast<float>(limit / (norm > 1e-6 ? norm : 1e-6));
}

// What the elements of a segment share.
struct GroupFactors {
  float lr_factor;
  float weight_decay;
};

// The gradient that a rule sees.
LOCKSTEP_HOST_DEVICE inline float usable_gradient(float gradient, float factor, float limit) {
  float g = gradient * factor;
  g = g > limit ? limit : g;
  return g < -limit ? -limit : g;
}

}  // namespace lockstep::optim
