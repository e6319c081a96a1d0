// Two slots of device memory that batches take in turns: while the compute stream reads one, the
// copy stream fills the other. Owns the order of both streams and the page-locked memory that small
// things go through; knows nothing of what lies in a slot.
#pragma once

#include <lockstep/gpu/device.h>

#include <array>
#include <cstddef>
#include <memory>

namespace lockstep::augment {

class CopySlots {
 public:
  static constexpr std::size_t kSlots = 2;

  explicit CopySlots(gpu::Backend& backend);

  // The slot of the next batch. Whatever was launched on the compute stream so far reads the slot
  // before it. Blocks: until the copies of two turns ago are done, which they long are.
  std::size_t turn();
  // The slot got other device memory: what had it before may still be read by work that the compute
  // stream has queued.
  void moved();
  // Copies of this turn follow, no more than `staged_bytes` of them by send().
  // Stream: the copy stream waits until the slot is not read any more.
  void begin_copies(std::size_t staged_bytes);
  // `from` is free when the call returns.
  void send(void* to, const void* from, std::size_t size_bytes);
  // `from` is page-locked and stays untouched until reusable() is done.
  void send_pinned(void* to, const void* from, std::size_t size_bytes);
  // Stream: the compute stream waits for the copies.
  void end_copies();
  // After the copies of the last turn; null before the first.
  gpu::Event* reusable();

 private:
  struct Slot {
    std::unique_ptr<gpu::PinnedBuffer> staging;
    std::unique_ptr<gpu::Event> copied;
    std::unique_ptr<gpu::Event> consumed;
  };

  gpu::Backend& backend_;
  std::unique_ptr<gpu::Stream> copy_stream_;
  std::array<Slot, kSlots> slots_;
  Slot* current_ = nullptr;
  std::size_t next_ = 0;
  std::size_t staged_ = 0;  // bytes of this turn's staging memory in use
};

}  // namespace lockstep::augment
