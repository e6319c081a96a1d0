#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/parallel/options.h>

namespace lockstep::parallel {

void bind_options(OptionTable& table, Options& options) {
  table.add(
      "parallel",
      "digest_every",
      options.digest_every,
      "steps",
      "Steps between two comparisons of parameters, optimizer and loss scale over all ranks, "
      "which are equal bit for bit unless memory, a device or code outside of the step is at "
      "fault; a difference ends the run with code 76. Reads the state once: well below 1 % of "
      "the time. 0: never. No effect on one rank.");
  table.add("parallel",
            "zero",
            options.zero,
            "",
            "Stage of ZeRO. 0: every rank holds the whole optimizer state. 1: each rank holds and "
            "updates an equal part, which saves 8 bytes a parameter x (1 - 1/ranks) of memory. "
            "As many bytes travel, but those of the parameters only after the update, where "
            "nothing hides them. No effect on one rank.");
}

void validate(const Options& options) {
  if (options.digest_every < 0) {
    throw config_error(
        format("parallel.digest_every = {} is negative: write 0 for never", options.digest_every));
  }
  if (options.zero < 0 || options.zero > 1) {
    throw config_error(
        format("parallel.zero = {} is not a stage that is there: write 0 or 1", options.zero));
  }
}

void check_zero(const Options& options, const optim::Need& need) {
  if (options.zero == 0 || need.granularity == optim::Granularity::kElement) return;
  const char* const unit = need.granularity == optim::Granularity::kRow ? "rows" : "tensors";
  throw config_error(
      format("parallel.zero = {} cuts parameters into slices, but {} needs whole {}: set "
             "parallel.zero = 0",
             options.zero,
             need.because,
             unit));
}

}  // namespace lockstep::parallel
