// Stateless random numbers: a value is a pure function of (key, counter), so that results do not
// depend on threads, ranks or resume. Philox-4x32-10: Salmon et al., "Parallel random numbers: as
// easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cstdint>

namespace lockstep {

// One block of 4 x 32 random bits.
std::array<std::uint32_t, 4> philox(std::uint64_t key,
                                    std::uint64_t counter_low,
                                    std::uint64_t counter_high);

// A sequence drawn from one (key, stream) pair.
class PhiloxStream {
 public:
  PhiloxStream(std::uint64_t key, std::uint64_t stream) : key_(key), stream_(stream) {}
  std::uint32_t next_u32();
  std::uint64_t next_u64();
  // Uniform in [0, bound) without bias (rejection). Requires: bound > 0.
  std::uint64_t below(std::uint64_t bound);
  double uniform();  // [0, 1), 53 bits

 private:
  std::uint64_t key_;
  std::uint64_t stream_;
  std::uint64_t block_ = 0;
  std::array<std::uint32_t, 4> words_{};
  int left_ = 0;
};

}  // namespace lockstep
