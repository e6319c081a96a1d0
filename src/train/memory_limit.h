// memory.limit_mib on the CPU: allocations beyond it fail as they would on a full device.
#pragma once

#include "memory_watch.h"

#include <cstdint>

namespace lockstep::train {

// While it lives, an allocation that would take the live bytes of `watch` above `limit_bytes`
// throws Error(kOutOfMemory). 0: no limit. Thread: made and destroyed on the training thread, for
// whose allocations alone it stands.
class MemoryLimit {
 public:
  MemoryLimit(const MemoryWatch& watch, std::int64_t limit_bytes);
  ~MemoryLimit();
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

  // Throws when `more_bytes` do not fit any more.
  void check(std::size_t more_bytes) const;

 private:
  const MemoryWatch& watch_;
  std::int64_t limit_bytes_;
};

}  // namespace lockstep::train
