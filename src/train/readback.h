// Step figures on their way from the device to the host: written by an asynchronous copy, read when
// they have arrived, so that the step itself never waits for them.
#pragma once

#include <lockstep/gpu/device.h>
#include <lockstep/optim/arena.h>

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <memory>

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
  // Copies `stats` (kNumStats, f32) behind the work of `stream`; afterwards they may be overwritten
  // by later work of that stream.
  void push(std::int64_t step, const at::Tensor& stats, gpu::StreamHandle stream);
  // Marks the end of the step that was pushed last: everything on `stream` so far.
  void close(gpu::StreamHandle stream);
  // Whether the end of the oldest step under way was reached. Requires: it was closed.
  bool ended();
  // The oldest step under way. Blocks until its end was reached. Requires: it was closed.
  StepStats pop();

 private:
  struct Slot {
    std::int64_t step = 0;
    std::unique_ptr<gpu::PinnedBuffer> memory;
    std::unique_ptr<gpu::Event> ended;
  };
  gpu::Backend& backend_;
  std::array<Slot, kDepth> slots_;
  std::size_t pushed_ = 0;
  std::size_t closed_ = 0;
  std::size_t popped_ = 0;
};

}  // namespace lockstep::train
