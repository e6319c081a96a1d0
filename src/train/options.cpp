#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/train/options.h>

namespace lockstep::train {
namespace {

void bind_limits(OptionTable& table, RunOptions& options) {
  table.add("run",
            "epochs",
            options.epochs,
            "epochs",
            "Passes over data.train; every sample is seen once in each. The run ends at this or at "
            "run.max_steps or run.max_seconds, whichever comes first.");
  table.add("run",
            "max_steps",
            options.max_steps,
            "steps",
            "Optimizer steps after which the run ends; also the length of the schedule when it is "
            "shorter than run.epochs. 0: no limit.");
  table.add("run",
            "max_seconds",
            options.max_seconds,
            "s",
            "Wall time after which the run ends at the next step, evaluated and saved as usual. "
            "The schedule does not follow it. 0: no limit.");
}

}  // namespace

void bind_options(OptionTable& table, RunOptions& options) {
  table.add(
      "run",
      "dir",
      options.dir,
      "Run directory: settings, metrics, rank records, logs and the model are written here. It "
      "must not exist yet, or be empty. Empty: a new folder under runs/ named by the time.");
  table.add("run",
            "seed",
            options.seed,
            "",
            "Seeds the first weights, the order of the samples, augmentation, dropout and "
            "stochastic depth. The same seed gives the same run whatever the number of ranks, to "
            "rounding.");
  table.add("run",
            "device",
            options.device,
            "Where ranks compute. auto: CUDA when a usable GPU is there, else the CPU. cuda: an "
            "error without one. cpu: never opens CUDA.",
            {"auto", "cpu", "cuda"});
  bind_limits(table, options);
  table.add("run",
            "determinism",
            options.determinism,
            "off: a CPU run repeats bit by bit, a GPU run to rounding. bitwise: a GPU run too, at "
            "some cost. world: losses are the same bits on 1, 2, 4, ... ranks as long as ranks x "
            "accumulate and batch_per_rank stay; gradients are summed in one fixed tree after "
            "backward, without overlap, for audits.",
            {"off", "bitwise", "world"});
  table.add("run",
            "allow_gpu_sharing",
            options.allow_gpu_sharing,
            "Let several ranks of a host use one GPU, their gradients reduced through host memory: "
            "slow, for debugging. Without it more ranks than GPUs are an error.");
}

void bind_options(OptionTable& table, TrainOptions& options) {
  table.add("train",
            "batch_per_rank",
            options.batch_per_rank,
            "images",
            "Images of one micro-batch of one rank. Images a step = ranks x batch_per_rank x "
            "accumulate. Activation memory grows with it.");
  table.add("train",
            "global_batch",
            options.global_batch,
            "images",
            "Images a step over all ranks; batch_per_rank then follows from it, so it must be a "
            "multiple of ranks x accumulate. 0: not given, batch_per_rank counts.");
  table.add("train",
            "accumulate",
            options.accumulate,
            "micro-batches",
            "Micro-batches a step whose gradients are summed before one reduction and one update: "
            "a larger batch in the memory of a small one. Costs time in proportion.");
  table.add("train",
            "label_smoothing",
            options.label_smoothing,
            "",
            "Share of the target that is spread evenly over all classes, 0 to below 1. The loss in "
            "the log contains it, so losses of differing values do not compare.");
}

void validate(const RunOptions& options) {
  if (options.epochs < 1) {
    throw config_error(format("run.epochs = {} is not positive: write 1 or more", options.epochs));
  }
  if (options.max_steps < 0) {
    throw config_error(
        format("run.max_steps = {} is negative: write 0 for no limit", options.max_steps));
  }
  if (options.max_seconds < 0) {
    throw config_error(
        format("run.max_seconds = {} is negative: write 0 for no limit", options.max_seconds));
  }
}

void validate(const TrainOptions& options) {
  if (options.batch_per_rank < 1) {
    throw config_error(format("train.batch_per_rank = {} is not positive: write 1 or more images",
                              options.batch_per_rank));
  }
  if (options.accumulate < 1) {
    throw config_error(
        format("train.accumulate = {} is not positive: write 1 or more micro-batches",
               options.accumulate));
  }
  if (options.global_batch < 0) {
    throw config_error(format("train.global_batch = {} is negative: write 0 to leave it out",
                              options.global_batch));
  }
  if (options.global_batch % options.accumulate != 0) {
    throw config_error(
        format("train.global_batch = {} is not a multiple of train.accumulate = {}: change one",
               options.global_batch,
               options.accumulate));
  }
  if (options.label_smoothing < 0 || options.label_smoothing >= 1) {
    throw config_error(
        format("train.label_smoothing = {} is outside 0 to below 1: write 0 for none",
               options.label_smoothing));
  }
}

std::int64_t resolve_batch_per_rank(const TrainOptions& options, std::int64_t num_ranks) {
  LOCKSTEP_CHECK(num_ranks > 0, "a run has at least one rank");
  if (options.global_batch == 0) return options.batch_per_rank;
  const std::int64_t parts = num_ranks * options.accumulate;
  if (options.global_batch % parts != 0) {
    throw config_error(
        format("train.global_batch = {} is not a multiple of {} ranks x train.accumulate = {}: "
               "take a multiple of {}",
               options.global_batch,
               num_ranks,
               options.accumulate,
               parts));
  }
  return options.global_batch / parts;
}

}  // namespace lockstep::train
