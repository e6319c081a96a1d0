#include "ring_loader.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/threads.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace lockstep::data {

RingLoader::RingLoader(const Dataset& dataset, gpu::Backend& backend, const LoaderOptions& options)
    : filler_(dataset, backend, options) {
  LOCKSTEP_CHECK(options.threads >= 1 && options.prefetch >= 2, "a ring needs threads and slabs");
  for (std::int64_t i = 0; i < ring_slabs(options); ++i)
    entries_.push_back({filler_.make_slab(i), State::kFree});
  for (Entry& entry : entries_) free_.push_back(&entry);
  in_order_.assign(entries_.size(), nullptr);
  try {
    for (std::int64_t i = 0; i < options.threads; ++i) {
      threads_.emplace_back([this, i] { read_ahead(i); });
    }
  } catch (...) {
    stop();
    throw;
  }
}

RingLoader::~RingLoader() { stop(); }

void RingLoader::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  freed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void RingLoader::read_ahead(std::int64_t thread) {
  block_signals();
  set_thread_name(format("reader {}", thread));
  try {
    while (Entry* entry = take_free()) {
      filler_.fill(*entry->slab);
      {
        const std::lock_guard lock(mutex_);
        entry->state = State::kReady;
      }
      filled_.notify_one();
    }
  } catch (...) {
    end_early();
  }
}

// What was assigned is delivered first.
void RingLoader::end_early() {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    exhausted_ = true;
  }
  freed_.notify_all();
  filled_.notify_one();
}

RingLoader::Entry* RingLoader::take_free() {
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [this] { return stopping_ || exhausted_ || !free_.empty(); });
  if (stopping_ || exhausted_) return nullptr;
  Entry* const entry = choose_free();
  if (!filler_.begin(*entry->slab)) {
    exhausted_ = true;
    lock.unlock();
    freed_.notify_all();
    filled_.notify_one();
    return nullptr;
  }
  entry->state = State::kFilling;
  place_of(next_to_fill_++) = entry;
  return entry;
}

// The slab that was handed back last is still in the processor's cache; but one whose copy to the
// device goes on is left alone as long as another can be had, and then the oldest is done first.
RingLoader::Entry* RingLoader::choose_free() {
  auto chosen = std::find_if(free_.rbegin(), free_.rend(), [](const Entry* entry) {
    gpu::Event* const reusable = entry->slab->reusable;
    return reusable == nullptr || reusable->done();
  });
  if (chosen == free_.rend()) --chosen;
  Entry* const entry = *chosen;
  free_.erase(std::next(chosen).base());
  return entry;
}

const Batch* RingLoader::next() {
  std::unique_lock lock(mutex_);
  const auto held = [](const Entry& entry) { return entry.state == State::kHeld; };
  LOCKSTEP_CHECK(!std::all_of(entries_.begin(), entries_.end(), held),
                 "next() while every slab is held: release one");
  Entry*& place = place_of(next_to_deliver_);
  const auto ready = [&] { return place != nullptr && place->state == State::kReady; };
  const auto at_end = [this] { return exhausted_ && next_to_deliver_ == next_to_fill_; };
  filled_.wait(lock, [&] { return ready() || at_end(); });
  if (!ready() && failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  if (!ready()) return nullptr;
  Entry& entry = *place;
  if (entry.slab->error) std::rethrow_exception(std::exchange(entry.slab->error, nullptr));
  entry.state = State::kHeld;
  place = nullptr;
  ++next_to_deliver_;
  return &entry.slab->batch;
}

void RingLoader::release(const Batch* batch, gpu::Event* reusable) {
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[static_cast<std::size_t>(batch->slab)];
    LOCKSTEP_CHECK(entry.state == State::kHeld, "release() of a batch that is not held");
    entry.slab->reusable = reusable;
    entry.state = State::kFree;
    free_.push_back(&entry);
  }
  freed_.notify_one();
}

}  // namespace lockstep::data
