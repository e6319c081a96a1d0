// Settings of the weights module.
#pragma once

#include <lockstep/base/option.h>

#include <string>

namespace lockstep::weights {

struct Options {
  std::string init;  // empty: weights are drawn from run.seed
  bool strict = true;
  std::string head = "keep";
};

void bind_options(OptionTable& table, Options& options);
// Throws: Error(kConfig).
void validate(const Options& options);

}  // namespace lockstep::weights
