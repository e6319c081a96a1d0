// Inflated chunks in memory, the least recently used thrown away. Knows nothing of where a chunk
// comes from.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

namespace lockstep::data {

// Thread: every function from any thread. Several chunks are filled at the same time, each by one
// thread; others that want it wait.
class ChunkCache {
 public:
  using Bytes = std::vector<std::byte>;
  using Fill = std::function<void(std::span<std::byte>)>;

  // Keeps `capacity` chunks of `chunk_bytes` each, and beside them those that callers hold.
  // Requires: capacity > 0.
  ChunkCache(std::size_t chunk_bytes, std::size_t capacity);

  // The chunk's bytes; `fill` writes them when they are not here. What it throws goes to the
  // caller, and the next one tries again.
  std::shared_ptr<const Bytes> get(std::uint64_t number, const Fill& fill);
  // Never less than before.
  void keep(std::size_t capacity);

 private:
  struct Entry {
    std::shared_ptr<Bytes> bytes;  // null while it is filled
    std::list<std::uint64_t>::iterator age;
  };
  std::shared_ptr<const Bytes> fill_entry(std::unique_lock<std::mutex>& lock,
                                          std::uint64_t number,
                                          const Fill& fill);
  std::shared_ptr<Bytes> make_room();

  std::size_t chunk_bytes_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::size_t capacity_;
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::list<std::uint64_t> by_age_;  // the most recently used first
};

}  // namespace lockstep::data
