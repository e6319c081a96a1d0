// Settings of the eval module.
#pragma once

#include <lockstep/base/option.h>

#include <cstdint>

namespace lockstep::eval {

struct Options {
  std::int64_t every_epochs = 1;  // 0: only at the end
  std::int64_t batch = 0;         // 0: as train.batch_per_rank
  bool ema = true;
};

void bind_options(OptionTable& table, Options& options);
// Throws: Error(kConfig).
void validate(const Options& options);

}  // namespace lockstep::eval
