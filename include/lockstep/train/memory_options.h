// Settings of a rank's memory: what is kept for backward.
#pragma once

#include <lockstep/base/option.h>

#include <cstdint>
#include <string>

namespace lockstep::train {

// The value of `recompute` that leaves the choice to the run.
inline constexpr const char* kBudget = "budget";

struct MemoryOptions {
  std::string recompute = "none";
  std::int64_t limit_mib = 0;  // 0: no limit
  std::string on_oom = "stop";
};

void bind_options(OptionTable& table, MemoryOptions& options);
// Throws: Error(kConfig). `depth`: blocks of the model.
void validate(const MemoryOptions& options, std::int64_t depth);

}  // namespace lockstep::train
