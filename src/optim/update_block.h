// The scalars of an update, laid out alike on host and device, and the rules that make them: found
// non-finite, clipping, loss scale, bias corrections. The host's and the device's update both
// include this, so that they decide alike. Knows no LibTorch.
#pragma once

#include <cmath>
#include <cstdint>

#ifdef __CUDACC__
#define LOCKSTEP_HOST_DEVICE __host__ __device__
#else
#define LOCKSTEP_HOST_DEVICE
#endif

namespace lockstep::optim {

// Fixed for a run.
struct UpdateSettings {
  double betas[3];
  double eps;
  double momentum;
  double dampening;
  double clip_norm;           // 0: no clipping
  std::int64_t growth_steps;  // clean steps before the loss scale doubles
  std::int32_t scaling;       // 1: dynamic loss scale
  std::int32_t nesterov;
};

// Carried from step to step: what a resume needs beside the moments.
struct UpdateState {
  std::int64_t steps;        // updates applied so far: t of the bias corrections
  std::int64_t clean_steps;  // since the loss scale last changed
  float loss_scale;
  float unused;
};

// Of one step.
struct UpdateFactors {
  double corrections[3];  // 1 - beta^t
  float grad_factor;      // clip coefficient / loss scale
  std::int32_t apply;     // 0: the step is skipped
};

struct UpdateOutcome {
  double grad_norm;
  double loss_scale;
  std::int64_t skipped;
};

struct UpdateBlock {
  UpdateState state;
  double lr;  // written by the host before each update
  UpdateFactors factors;
  UpdateOutcome outcome;
};

// Loss scale after a step, as PyTorch's GradScaler: halves after an overflow, doubles after
// `growth_steps` clean steps in a row while the doubled scale is finite.
LOCKSTEP_HOST_DEVICE inline void adapt_loss_scale(const UpdateSettings& settings,
                                                  bool overflow,
                                                  UpdateState& state) {
  if (settings.scaling == 0) return;
  if (overflow) {
    state.loss_scale *= 0.5F;
    state.clean_steps = 0;
    return;
  }
  state.clean_steps += 1;
  if (state.clean_steps < settings.growth_steps) return;
  const float grown = state.loss_scale * 2.0F;
  if (grown <= 3.4e38F) state.loss_scale = grown;
  state.clean_steps = 0;
}

// From the sum of squares of the scaled gradients and the summed bad flag to everything that the
// element-wise pass needs. A raised bad flag says nothing about the loss scale and leaves it alone.
LOCKSTEP_HOST_DEVICE inline void decide_update(const UpdateSettings& settings,
                                               double sum_of_squares,
                                               float bad_flag,
                                               UpdateBlock& block) {
  UpdateState& state = block.state;
  const double scale = static_cast<double>(state.loss_scale);
  const double norm = sqrt(sum_of_squares) / scale;
  const bool finite = sum_of_squares - sum_of_squares == 0.0;
  const bool bad = !(bad_flag == 0.0F);
  block.outcome.grad_norm = norm;
  block.outcome.loss_scale = scale;
  block.outcome.skipped = finite && !bad ? 0 : 1;
  block.factors.apply = finite && !bad ? 1 : 0;
  if (!bad) adapt_loss_scale(settings, !finite, state);
  if (block.factors.apply == 0) return;

  // As torch.nn.utils.clip_grad_norm_.
  double coefficient = 1.0;
  if (settings.clip_norm > 0) coefficient = settings.clip_norm / (norm + 1e-6);
  if (coefficient > 1.0) coefficient = 1.0;
  state.steps += 1;
  const double t = static_cast<double>(state.steps);
  block.factors.grad_factor = static_cast<float>(coefficient / scale);
  for (int i = 0; i < 3; ++i) block.factors.corrections[i] = 1.0 - pow(settings.betas[i], t);
}

// What the elements of a segment share.
struct GroupFactors {
  float lr_factor;
  float weight_decay;
};

}  // namespace lockstep::optim
