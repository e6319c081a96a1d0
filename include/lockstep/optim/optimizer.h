// The update: unscale, clip by global norm, the optimizer's rule, all in one pass over the arena,
// with every per-step scalar on the device.
#pragma once

#include <lockstep/optim/arena.h>
#include <lockstep/optim/options.h>
#include <lockstep/optim/shard.h>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace lockstep::optim {

// A contiguous run of arena elements with one set of factors.
struct Segment {
  std::int64_t offset = 0;
  std::int64_t count = 0;
  float lr_factor = 1;
  float weight_decay = 0;
};

// In arena order; neighbours with equal factors are merged. Norms, biases, tokens and positions
// (one-dimensional parameters and names ending in cls_token, pos_embed, reg_token, dist_token) do
// not decay; optim.layer_decay, lr_factors and decay_factors as docs/optimizers.md says.
// Throws: Error(kConfig) for a pattern that matches no parameter.
std::vector<Segment> plan_segments(const Arena& arena, const Options& options);

// optim.lr by the rule for a changed global batch (optim.lr_rule). Pure.
double peak_lr(const Options& options, std::int64_t samples_per_step);

// The learning rate of a 1-based step. Pure. A linear warm-up from peak / warmup_steps to peak,
// then the schedule (docs/optimizers.md), whose steps count from the end of the warm-up. Throws:
// Error(kConfig) for an unknown name.
double learning_rate(double peak,
                     const ScheduleOptions& schedule,
                     std::int64_t step,
                     std::int64_t total_steps);

// Throws: Error(kConfig) for a warm-up or a fall that is longer than the run, or a rate that rises.
void check_fits_run(const ScheduleOptions& schedule, double peak, std::int64_t total_steps);

// Host copies of what a step's update saw.
struct UpdateReport {
  double grad_norm = 0;  // before clipping, after unscaling
  double loss_scale = 1;
  bool skipped =
      false;           // a non-finite gradient or loss, a spike, the bad flag: nothing was changed
  bool spike = false;  // of loss or norm (optim.skip_loss_z, skip_norm_z)
};

struct UpdateInputs {
  std::int64_t step = 0;  // 1-based
  double lr = 0;
  double samples = 1;           // of the global step, for the mean loss
  std::int64_t loss_slot = -1;  // stats slot of the loss summed over them; negative: there is none
};

// Element-wise optimizer over a flat arena, or over the shard of it that this rank owns.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Sum of squares of gradients [begin, end) (still scaled, stats slots left out), added to this
  // step's norm. Called once a bucket as it is reduced, with a shard for its own part of it; a
  // non-finite sum makes update() skip.
  virtual void add_norm(std::int64_t begin, std::int64_t end) = 0;
  // One pass: unscale, clip, update, zero the gradients (stats slots too). When add_norm was not
  // called since the last update, the norm of the whole arena is taken first. A skipped step
  // changes nothing but the gradients (zeroed) and, after an overflow, the loss scale.
  // Collective with a shard: ranks exchange their parts of the norm and add them in rank order, so
  // that all decide alike; then each updates what it owns and zeroes all gradients.
  virtual void update(const UpdateInputs& inputs) = 0;
  // What the update `updates_ago` before the last one saw. Blocks: on CUDA until that update is
  // done, so ask one step late. Requires: at most kReportDepth updates ago; 0 on the CPU.
  virtual UpdateReport report(std::int64_t updates_ago = 0) = 0;
  static constexpr std::int64_t kReportDepth = 3;
  // Factor to put on the loss before backward; 1 without loss scaling. A device scalar tensor.
  virtual at::Tensor loss_scale() = 0;
  // Everything that a resume needs, as views to read from and to copy into: STATE/NAME for each
  // tensor of Description::state of each parameter, optim/steps, scaler/clean_steps,
  // scaler/loss_scale. With a shard only what this rank owns: of a parameter cut by its bounds the
  // view is flat and named STATE/NAME[BEGIN:END], elements of the flattened parameter; over all
  // ranks the parts of each parameter meet without gap or overlap.
  virtual std::vector<NamedParameter> state() = 0;
  // The part of state() that all ranks hold alike: with a shard the scalars only.
  virtual std::vector<NamedParameter> replicated_state() = 0;
  // Whether it keeps an average of the parameters (optim.ema_decay), state "ema/NAME".
  virtual bool has_average() const = 0;
  // Exchanges parameters and average, of what this rank owns: a second call puts all back, bit for
  // bit. Follow with Reducer::gather_parameters. Requires: has_average().
  virtual void swap_average() = 0;
  // Memory of the state on this rank.
  virtual std::int64_t state_bytes() const = 0;
};

// `bad_flag_slot` is the index of the stats slot that makes the update skip when it is not zero;
// negative: there is none. On CUDA liblockstep_cuda.so must be open. The arena must outlive it, and
// so must the shard's group. Throws: Error(kConfig) for an unknown optimizer.
// Requires: Granularity::kElement with a shard.
std::unique_ptr<Optimizer> make_optimizer(Arena& arena,
                                          const Options& options,
                                          const PrecisionOptions& precision,
                                          std::int64_t bad_flag_slot,
                                          const Shard& shard = {});

}  // namespace lockstep::optim
