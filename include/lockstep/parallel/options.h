// Settings of the parallel module.
#pragma once

#include <lockstep/base/option.h>
#include <lockstep/optim/options.h>

#include <cstdint>

namespace lockstep::parallel {

struct Options {
  std::int64_t digest_every = 50;  // steps; 0: never
  std::int64_t zero = 0;           // stage of ZeRO: 0 or 1
};

void bind_options(OptionTable& table, Options& options);
// Throws: Error(kConfig).
void validate(const Options& options);
// ZeRO's slices cut rows and tensors. Throws: Error(kConfig) when the optimizer cannot do with
// that.
void check_zero(const Options& options, const optim::Need& need);

}  // namespace lockstep::parallel
