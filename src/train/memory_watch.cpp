#include "memory_watch.h"

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <atomic>

namespace lockstep::train {
namespace {

// Receives a signed size for every block that an allocator hands out or takes back.
class Reporter final : public c10::MemoryReportingInfoBase {
 public:
  explicit Reporter(c10::DeviceType device) : device_(device) {}

  void reportMemoryUsage(void* /*block*/,
                         std::int64_t size_bytes,
                         std::size_t /*allocated*/,
                         std::size_t /*reserved*/,
                         c10::Device device) override {
    if (device.type() != device_) return;
    const std::int64_t live = live_.fetch_add(size_bytes, std::memory_order_relaxed) + size_bytes;
    std::int64_t peak = peak_.load(std::memory_order_relaxed);
    while (live > peak && !peak_.compare_exchange_weak(peak, live, std::memory_order_relaxed)) {
    }
  }
  bool memoryProfilingEnabled() const override { return true; }

  void restart() { peak_.store(live_.load(std::memory_order_relaxed), std::memory_order_relaxed); }
  std::int64_t live() const { return live_.load(std::memory_order_relaxed); }
  std::int64_t peak() const { return peak_.load(std::memory_order_relaxed); }

 private:
  c10::DeviceType device_;
  std::atomic<std::int64_t> live_{0};
  std::atomic<std::int64_t> peak_{0};
};

}  // namespace

struct MemoryWatch::State {
  explicit State(c10::DeviceType device) : reporter(std::make_shared<Reporter>(device)) {}

  std::shared_ptr<Reporter> reporter;
  c10::DebugInfoGuard guard{c10::DebugInfoKind::PROFILER_STATE, reporter};
};

MemoryWatch::MemoryWatch(c10::DeviceType device, std::int64_t base_bytes)
    : state_(std::make_unique<State>(device)), base_bytes_(base_bytes) {}
MemoryWatch::~MemoryWatch() = default;

void MemoryWatch::restart() { state_->reporter->restart(); }

std::int64_t MemoryWatch::peak_bytes() const {
  // Less than nothing is live when the device's blocks from before the watch were freed.
  return base_bytes_ + std::max<std::int64_t>(0, state_->reporter->peak());
}

std::int64_t MemoryWatch::live_bytes() const { return base_bytes_ + state_->reporter->live(); }

}  // namespace lockstep::train
