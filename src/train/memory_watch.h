// Peak of the memory that LibTorch's allocators have handed out (CPU or GPU), not resident size.
// The only thing that train owns beside the loop.
#pragma once

#include <cstdint>
#include <memory>

namespace lockstep::train {

// Counts allocations of the thread that made it and of autograd's threads that work for it, from
// construction on. Thread: make, read and destroy on the training thread.
class MemoryWatch {
 public:
  MemoryWatch();
  ~MemoryWatch();
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;

  // Highest number of live bytes since the last take, and `base_bytes` on top of it: what was
  // allocated before the watch began (parameters, gradients, moments).
  std::int64_t take_peak_bytes();
  void set_base_bytes(std::int64_t base_bytes) { base_bytes_ = base_bytes; }

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::int64_t base_bytes_ = 0;
};

}  // namespace lockstep::train
