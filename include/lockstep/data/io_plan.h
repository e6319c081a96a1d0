// What an order of samples costs on a file's storage, before a byte is read. Pure arithmetic.
#pragma once

#include <lockstep/data/inspect.h>

#include <cstdint>
#include <string>

namespace lockstep::data {

struct IoQuestion {
  std::string order = "auto";    // auto, global, window, sequential
  std::int64_t batch = 32;       // samples that are read together
  std::int64_t cache_bytes = 0;  // of inflated chunks, Options::chunk_cache_mib
};

// Means over an epoch. A useful byte is one of a sample, as it is delivered.
struct IoPlan {
  std::string order;  // never auto
  double requests_per_sample = 0;
  double bytes_read_per_useful_byte = 0;
  double bytes_inflated_per_useful_byte = 0;  // 0: stored without deflate
  bool through_library = false;               // one lock around every read

  bool one_read_a_sample() const;  // nothing is better
};

// `auto` is global where one sample is one read, else window. A batch of B of N samples in K chunks
// touches K (1 - (1 - 1/K)^B) of them under a uniform shuffle; those that the cache holds are not
// read again.
IoPlan plan_io(const Inspection& file, const IoQuestion& question);

}  // namespace lockstep::data
