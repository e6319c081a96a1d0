// The samples of a file that could not be read, by the policy "skip": remembered, named once, and
// replaced by the next readable one. Knows nothing of batches.
#pragma once

#include <lockstep/base/error.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>

namespace lockstep::data {

// Thread: every function from any thread.
class BrokenSamples {
 public:
  BrokenSamples() = default;
  // Logs how many there were, when not all of them were named.
  ~BrokenSamples();
  BrokenSamples(const BrokenSamples&) = delete;
  BrokenSamples& operator=(const BrokenSamples&) = delete;

  bool contains(std::int64_t index) const;
  // Logs the first of them by name and cause, then counts.
  void add(std::int64_t index, const Error& error);

 private:
  mutable std::mutex mutex_;
  std::set<std::int64_t> indices_;
  std::atomic<std::int64_t> count_{0};
};

}  // namespace lockstep::data
