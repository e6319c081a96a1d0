// Settings of a rank's memory: what is kept for backward.
#pragma once

#include <lockstep/base/option.h>

#include <string>

namespace lockstep::train {

struct MemoryOptions {
  std::string recompute = "none";
};

void bind_options(OptionTable& table, MemoryOptions& options);
// Throws: Error(kConfig). `depth`: blocks of the model.
void validate(const MemoryOptions& options, std::int64_t depth);

}  // namespace lockstep::train
