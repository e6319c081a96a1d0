// Peak of the memory that LibTorch's allocator of one kind of device has handed out, not resident
// size. The only thing that train owns beside the loop.
#pragma once

#include <c10/core/DeviceType.h>

#include <cstdint>
#include <memory>

namespace lockstep::train {

// Counts allocations of the thread that made it and of autograd's threads that work for it, from
// construction on. Thread: make, read and destroy on the training thread.
class MemoryWatch {
 public:
  // `base_bytes` were allocated before the watch began (parameters, gradients, moments).
  MemoryWatch(c10::DeviceType device, std::int64_t base_bytes);
  ~MemoryWatch();
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;

  // Forgets the peak so far: what is live now is the least that peak_bytes() can be.
  void restart();
  // Highest number of live bytes since restart(), base_bytes included.
  std::int64_t peak_bytes() const;
  // Live now, base_bytes included.
  std::int64_t live_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::int64_t base_bytes_;
};

}  // namespace lockstep::train
