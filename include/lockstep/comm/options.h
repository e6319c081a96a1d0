// Settings of the comm module.
#pragma once

#include <lockstep/base/option.h>

#include <cstdint>
#include <optional>
#include <string>

namespace lockstep::comm {

inline constexpr double kDefaultBucketMib = 4.0;

struct Options {
  std::string backend = "auto";
  std::string wire = "fp32";
  std::optional<double> bucket_mib = kDefaultBucketMib;  // none: the fastest of some, measured
  double first_bucket_mib = 0.25;
  std::int64_t max_ctas = 0;  // 0: NCCL's choice
  std::string stream_priority = "high";
  double timeout_s = 600.0;
};

void bind_options(OptionTable& table, Options& options);
// Throws: Error(kConfig).
void validate(const Options& options);

}  // namespace lockstep::comm
