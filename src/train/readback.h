// Step figures on their way from the device to the host: written by an asynchronous copy, read when
// they have arrived, so that the step itself never waits for them.
#pragma once

#include <lockstep/gpu/device.h>
#include <lockstep/optim/arena.h>

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

namespace lockstep::train {

// The stats slots of one step, summed over all ranks and micro-batches.
struct StepStats {
  std::int64_t step = 0;
  std::array<float, optim::kNumStats> values{};
};

// In order, at most kDepth steps under way. On the host a step's figures are there at once.
class Readback {
 public:
  static constexpr std::size_t kDepth = 4;

  explicit Readback(gpu::Backend& backend);
  // Copies `stats` (kNumStats, f32) behind the work of `stream`.
  void push(std::int64_t step, const at::Tensor& stats, gpu::StreamHandle stream);
  // The oldest step whose figures have arrived; with `wait`, blocks for the oldest one under way.
  std::optional<StepStats> pop(bool wait);
  bool full() const { return pushed_ - popped_ == kDepth; }

 private:
  struct Slot {
    std::int64_t step = 0;
    std::unique_ptr<gpu::PinnedBuffer> memory;
    std::unique_ptr<gpu::Event> arrived;
  };
  gpu::Backend& backend_;
  std::array<Slot, kDepth> slots_;
  std::size_t pushed_ = 0;
  std::size_t popped_ = 0;
};

}  // namespace lockstep::train
