// Settings of the comm module.
#pragma once

#include <lockstep/base/option.h>

#include <cstdint>
#include <string>

namespace lockstep::comm {

struct Options {
  std::string backend = "auto";
  std::string wire = "fp32";
  double bucket_mib = 4.0;
  double first_bucket_mib = 0.25;
  std::int64_t max_ctas = 0;  // 0: NCCL's choice
  double timeout_s = 600.0;
};

void bind_options(OptionTable& table, Options& options);
// Throws: Error(kConfig).
void validate(const Options& options);

}  // namespace lockstep::comm
