// A sequence of random numbers for one sample's plan: a pure function of (seed, epoch, sample id).
#pragma once

#include <lockstep/base/random.h>

#include <cstdint>

namespace lockstep::augment {

// `key` is the seed joined with a tag of what is drawn.
inline PhiloxStream plan_stream(std::uint64_t key, std::int64_t epoch, std::int64_t sample_id) {
  const auto bits =
      philox(key, static_cast<std::uint64_t>(sample_id), static_cast<std::uint64_t>(epoch));
  return {bits[0] | (std::uint64_t{bits[1]} << 32), bits[2] | (std::uint64_t{bits[3]} << 32)};
}

inline double uniform_between(PhiloxStream& random, double low, double high) {
  return low + (high - low) * random.uniform();
}

}  // namespace lockstep::augment
