#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/telemetry/options.h>

namespace lockstep::telemetry {

void bind_options(OptionTable& table, Options& options) {
  table.add("telemetry",
            "log_every",
            options.log_every,
            "steps",
            "Steps between two lines on the terminal and in metrics.jsonl; the last step is always "
            "logged. Every rank's own record has one line a step whatever this says.");
}

void validate(const Options& options) {
  if (options.log_every < 1) {
    throw config_error(format("telemetry.log_every = {} is not positive: write 1 or more steps",
                              options.log_every));
  }
}

}  // namespace lockstep::telemetry
