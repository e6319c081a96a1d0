// The loader with reader threads: a ring of slabs, each filled by one thread, delivered in order.
#pragma once

#include "batch_filler.h"

#include <lockstep/data/loader.h>

#include <condition_variable>
#include <cstdint>
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
  // The entry of the next micro-batch, assigned and in state kFilling; nullptr: stop.
  Entry* take_free();
  Entry& entry_of(std::uint64_t sequence) { return ring_[sequence % ring_.size()]; }
  void stop();

  BatchFiller filler_;  // begin() under mutex_
  std::vector<Entry> ring_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::condition_variable filled_;
  std::uint64_t next_to_fill_ = 0;  // micro-batches are numbered from 0
  std::uint64_t next_to_deliver_ = 0;
  bool exhausted_ = false;  // the last micro-batch was assigned
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lockstep::data
