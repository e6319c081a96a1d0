#include "chunk_cache.h"

#include <lockstep/base/error.h>

#include <algorithm>
#include <utility>

namespace lockstep::data {

ChunkCache::ChunkCache(std::size_t chunk_bytes, std::size_t capacity)
    : chunk_bytes_(chunk_bytes), capacity_(capacity) {
  LOCKSTEP_CHECK(capacity > 0, "a cache that keeps nothing");
}

void ChunkCache::keep(std::size_t capacity) {
  const std::lock_guard lock(mutex_);
  capacity_ = std::max(capacity_, capacity);
}

std::shared_ptr<const ChunkCache::Bytes> ChunkCache::get(std::uint64_t number, const Fill& fill) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto found = entries_.find(number);
    if (found == entries_.end()) return fill_entry(lock, number, fill);
    if (found->second.bytes != nullptr) {
      by_age_.splice(by_age_.begin(), by_age_, found->second.age);
      return found->second.bytes;
    }
    filled_.wait(lock);
  }
}

std::shared_ptr<const ChunkCache::Bytes> ChunkCache::fill_entry(std::unique_lock<std::mutex>& lock,
                                                                std::uint64_t number,
                                                                const Fill& fill) {
  std::shared_ptr<Bytes> bytes = make_room();
  by_age_.push_front(number);
  entries_[number] = {nullptr, by_age_.begin()};
  lock.unlock();
  std::exception_ptr error;
  try {
    if (bytes == nullptr) bytes = std::make_shared<Bytes>(chunk_bytes_);
    fill(*bytes);
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  const auto entry = entries_.find(number);
  if (error) {
    by_age_.erase(entry->second.age);
    entries_.erase(entry);
  } else {
    entry->second.bytes = bytes;
  }
  filled_.notify_all();
  if (error) std::rethrow_exception(error);
  return bytes;
}

// Throws away the oldest chunks that are not being filled. Returns the memory of one that nobody
// holds, to be used again; null when there is none.
std::shared_ptr<ChunkCache::Bytes> ChunkCache::make_room() {
  std::shared_ptr<Bytes> spare;
  auto age = by_age_.end();
  while (entries_.size() >= capacity_ && age != by_age_.begin()) {
    --age;
    const auto entry = entries_.find(*age);
    if (entry->second.bytes == nullptr) continue;
    if (entry->second.bytes.use_count() == 1) spare = std::move(entry->second.bytes);
    entries_.erase(entry);
    age = by_age_.erase(age);
  }
  return spare;
}

}  // namespace lockstep::data
