// Work on items 0 to N - 1 by several threads, with results in order. At most `window` results
// wait, and fewer where they are large, so memory does not grow with N.
#pragma once

#include <lockstep/base/threads.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace lockstep::data {

// Result: movable, default constructible, with held_bytes(). Thread: next() from one thread.
template <class Result>
class OrderedWorkers {
 public:
  using Work = std::function<Result(std::int64_t)>;  // called by any thread, also concurrently

  // Requires: num_threads and window at least 1.
  OrderedWorkers(std::int64_t num_items,
                 std::size_t num_threads,
                 std::size_t window,
                 std::size_t max_held_bytes,
                 Work work)
      : num_items_(num_items),
        max_held_bytes_(max_held_bytes),
        work_(std::move(work)),
        slots_(window) {
    try {
      for (std::size_t i = 0; i < num_threads; ++i) threads_.emplace_back([this] { run(); });
    } catch (...) {
      stop();
      throw;
    }
  }

  ~OrderedWorkers() { stop(); }
  OrderedWorkers(const OrderedWorkers&) = delete;
  OrderedWorkers& operator=(const OrderedWorkers&) = delete;

  // Nothing after the last. Throws: what the work on this item threw.
  std::optional<Result> next() {
    std::unique_lock lock(mutex_);
    if (num_taken_ == num_items_) return std::nullopt;
    Slot& slot = slot_of(num_taken_);
    changed_.wait(lock, [&] { return slot.ready; });
    Slot taken = std::exchange(slot, Slot());
    held_bytes_ -= taken.result.held_bytes();
    ++num_taken_;
    lock.unlock();
    changed_.notify_all();
    if (taken.error) std::rethrow_exception(taken.error);
    return std::move(taken.result);
  }

 private:
  struct Slot {
    Result result;
    std::exception_ptr error;
    bool ready = false;
  };

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  Slot& slot_of(std::int64_t item) {
    return slots_[static_cast<std::size_t>(item) % slots_.size()];
  }

  // The item that is waited for may always be worked on, however much is held.
  bool may_start() const {
    return num_started_ < num_taken_ + std::ssize(slots_) &&
           (held_bytes_ < max_held_bytes_ || num_started_ == num_taken_);
  }

  void run() {
    set_thread_name("import");
    block_signals();
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopped_ || num_started_ == num_items_ || may_start(); });
      if (stopped_ || num_started_ == num_items_) return;
      const std::int64_t item = num_started_++;
      lock.unlock();
      Slot done = work_on(item);
      lock.lock();
      held_bytes_ += done.result.held_bytes();
      slot_of(item) = std::move(done);
      changed_.notify_all();
    }
  }

  Slot work_on(std::int64_t item) const {
    Slot slot;
    try {
      slot.result = work_(item);
    } catch (...) {
      slot.error = std::current_exception();
    }
    slot.ready = true;
    return slot;
  }

  const std::int64_t num_items_;
  const std::size_t max_held_bytes_;
  const Work work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Slot> slots_;
  std::int64_t num_started_ = 0;
  std::int64_t num_taken_ = 0;
  std::size_t held_bytes_ = 0;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lockstep::data
