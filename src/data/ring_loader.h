// The loader with reader threads: slabs go round between readers, which fill one each, and the
// caller, who gets them in order.
#pragma once

#include "batch_filler.h"

#include <lockstep/data/loader.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace lockstep::data {

class RingLoader final : public Loader {
 public:
  RingLoader(const Dataset& dataset, gpu::Backend& backend, const LoaderOptions& options);
  ~RingLoader() override;

  const Batch* next() override;
  void release(const Batch* batch, gpu::Event* reusable) override;
  const Sampler& sampler() const override { return filler_.sampler(); }

 private:
  enum class State { kFree, kFilling, kReady, kHeld };
  struct Entry {
    std::unique_ptr<Slab> slab;
    State state = State::kFree;
  };

  void read_ahead(std::int64_t thread);
  // An entry with the next micro-batch assigned, in state kFilling; nullptr: stop.
  Entry* take_free();
  Entry* choose_free();
  Entry*& place_of(std::uint64_t sequence) { return in_order_[sequence % in_order_.size()]; }
  void end_early();
  void stop();

  BatchFiller filler_;  // begin() under mutex_
  std::vector<Entry> entries_;
  std::vector<Entry*> free_;      // in the order in which they were handed back
  std::vector<Entry*> in_order_;  // by sequence, what is being filled or ready; else nullptr
  std::mutex mutex_;
  std::condition_variable freed_;
  std::condition_variable filled_;
  std::uint64_t next_to_fill_ = 0;  // micro-batches are numbered from 0
  std::uint64_t next_to_deliver_ = 0;
  bool exhausted_ = false;      // the last micro-batch was assigned
  std::exception_ptr failure_;  // of a thread, outside of any batch; thrown once
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lockstep::data
