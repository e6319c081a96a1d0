// Settings of the parallel module.
#pragma once

#include <lockstep/base/option.h>

#include <cstdint>

namespace lockstep::parallel {

struct Options {
  std::int64_t digest_every = 50;  // steps; 0: never
};

void bind_options(OptionTable& table, Options& options);
// Throws: Error(kConfig).
void validate(const Options& options);

}  // namespace lockstep::parallel
