#include "copy_slots.h"

#include <lockstep/base/error.h>

#include <cstring>

namespace lockstep::augment {

CopySlots::CopySlots(gpu::Backend& backend)
    : backend_(backend), copy_stream_(backend.make_stream(true)) {
  for (Slot& slot : slots_) {
    slot.copied = backend.make_event(false);
    slot.consumed = backend.make_event(false);
  }
}

std::size_t CopySlots::turn() {
  if (current_ != nullptr) current_->consumed->record(backend_.compute_stream());
  const std::size_t index = next_++ % kSlots;
  current_ = &slots_[index];
  current_->copied->synchronize();
  return index;
}

void CopySlots::moved() { current_->consumed->record(backend_.compute_stream()); }

void CopySlots::begin_copies(std::size_t staged_bytes) {
  if (!current_->staging || current_->staging->size_bytes() < staged_bytes) {
    current_->staging.reset();
    current_->staging = backend_.make_pinned(staged_bytes + staged_bytes / 4);  // it grows seldom
  }
  staged_ = 0;
  current_->consumed->make_wait(copy_stream_->handle());
}

void CopySlots::send(void* to, const void* from, std::size_t size_bytes) {
  if (size_bytes == 0) return;
  LOCKSTEP_CHECK(staged_ + size_bytes <= current_->staging->size_bytes(),
                 "begin_copies() was told how much there is to send");
  std::byte* const at = current_->staging->data() + staged_;
  std::memcpy(at, from, size_bytes);
  staged_ += size_bytes;
  send_pinned(to, at, size_bytes);
}

void CopySlots::send_pinned(void* to, const void* from, std::size_t size_bytes) {
  if (size_bytes == 0) return;
  backend_.copy_to_device_async(to, from, size_bytes, copy_stream_->handle());
}

void CopySlots::end_copies() {
  current_->copied->record(copy_stream_->handle());
  current_->copied->make_wait(backend_.compute_stream());
}

gpu::Event* CopySlots::reusable() { return current_ == nullptr ? nullptr : current_->copied.get(); }

}  // namespace lockstep::augment
