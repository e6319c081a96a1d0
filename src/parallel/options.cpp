#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/parallel/options.h>

namespace lockstep::parallel {

void bind_options(OptionTable& table, Options& options) {
  table.add("parallel",
            "digest_every",
            options.digest_every,
            "steps",
            "Steps between two comparisons of parameters, optimizer and loss scale over all ranks, "
            "which are equal bit for bit unless memory, a device or code outside of the step is at "
            "fault; a difference ends the run with code 76. Reads the state once: far below 1 % of "
            "the time. 0: never. No effect on one rank.");
}

void validate(const Options& options) {
  if (options.digest_every < 0) {
    throw config_error(
        format("parallel.digest_every = {} is negative: write 0 for never", options.digest_every));
  }
}

}  // namespace lockstep::parallel
