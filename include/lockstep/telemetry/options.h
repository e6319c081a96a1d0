// Settings of the telemetry module.
#pragma once

#include <lockstep/base/option.h>

#include <cstdint>

namespace lockstep::telemetry {

struct Options {
  std::int64_t log_every = 10;
};

void bind_options(OptionTable& table, Options& options);
// Throws: Error(kConfig).
void validate(const Options& options);

}  // namespace lockstep::telemetry
