#include "ring_loader.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/threads.h>

#include <algorithm>
#include <utility>

namespace lockstep::data {

RingLoader::RingLoader(const Dataset& dataset, gpu::Backend& backend, const LoaderOptions& options)
    : filler_(dataset, backend, options) {
  LOCKSTEP_CHECK(options.threads >= 1 && options.prefetch >= 2, "a ring needs threads and slabs");
  // One slab is with the caller while every thread fills one.
  const std::int64_t slabs = std::max(options.prefetch, options.threads + 1);
  for (std::int64_t i = 0; i < slabs; ++i) ring_.push_back({filler_.make_slab(i), State::kFree});
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
  while (Entry* entry = take_free()) {
    filler_.fill(*entry->slab);
    {
      const std::lock_guard lock(mutex_);
      entry->state = State::kReady;
    }
    filled_.notify_one();
  }
}

RingLoader::Entry* RingLoader::take_free() {
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [this] {
    return stopping_ || exhausted_ || entry_of(next_to_fill_).state == State::kFree;
  });
  if (stopping_ || exhausted_) return nullptr;
  Entry& entry = entry_of(next_to_fill_);
  if (!filler_.begin(*entry.slab)) {
    exhausted_ = true;
    lock.unlock();
    freed_.notify_all();
    filled_.notify_one();
    return nullptr;
  }
  entry.state = State::kFilling;
  ++next_to_fill_;
  return &entry;
}

const Batch* RingLoader::next() {
  std::unique_lock lock(mutex_);
  Entry& entry = entry_of(next_to_deliver_);
  LOCKSTEP_CHECK(entry.state != State::kHeld, "next() while every slab is held: release one");
  const auto at_end = [this] { return exhausted_ && next_to_deliver_ == next_to_fill_; };
  filled_.wait(lock, [&] { return entry.state == State::kReady || at_end(); });
  if (entry.state != State::kReady) return nullptr;
  Slab& slab = *entry.slab;
  if (slab.error) std::rethrow_exception(std::exchange(slab.error, nullptr));
  entry.state = State::kHeld;
  ++next_to_deliver_;
  return &slab.batch;
}

void RingLoader::release(const Batch* batch, gpu::Event* reusable) {
  {
    const std::lock_guard lock(mutex_);
    Entry& entry = ring_[static_cast<std::size_t>(batch->slab)];
    LOCKSTEP_CHECK(entry.state == State::kHeld, "release() of a batch that is not held");
    entry.slab->reusable = reusable;
    entry.state = State::kFree;
  }
  freed_.notify_all();
}

}  // namespace lockstep::data
