// Settings of the data module.
#pragma once

#include <lockstep/base/option.h>

#include <cstdint>
#include <string>

namespace lockstep::data {

struct Options {
  std::string train;
  std::string val;
  std::string reader = "engine";
  std::string order = "auto";
  std::int64_t threads = 1;
  std::string image_key = "images";
  std::string label_key = "label";
  std::string last_batch = "pad";
  std::string verify = "first_epoch";
  std::int64_t prefetch = 4;
  std::int64_t window_chunks = 16;
  std::int64_t cache_mib = 0;
  std::string on_broken = "error";
  std::int64_t chunk_cache_mib = 256;
};

void bind_options(OptionTable& table, Options& options);
// Throws: Error(kConfig).
void validate(const Options& options);

}  // namespace lockstep::data
