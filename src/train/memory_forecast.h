// What a step will hold, found by running the model on two and on three images: every allocation of
// the pass is one point of a curve of live bytes, and each point is a line in the number of images.
// Nothing is fitted, and no formula of the model stands here.
#pragma once

#include "session.h"
#include "step_figures.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep::train {

// Live bytes above those at the start, after each allocation and release of one pass.
struct LiveCurve {
  std::int64_t images = 0;
  std::vector<std::int64_t> points;
  std::size_t backward_begin = 0;  // first point of backward
};

struct PassPeaks {
  std::int64_t forward = 0;
  std::int64_t backward = 0;
};

// Forward, loss and backward of the first `images` of `inputs` (repeated where there are fewer).
// The gradients in the arena are garbage afterwards. Requires: the reducer is between steps.
LiveCurve record_pass(Job& job,
                      Session& session,
                      const augment::DeviceBatch& inputs,
                      std::int64_t images);

// The highest points of a pass over `images` images, from two passes over other numbers. When these
// did not allocate alike, the peaks themselves are taken for lines.
PassPeaks extrapolate(const LiveCurve& a, const LiveCurve& b, std::int64_t images);

// The same, from as few images as it takes.
PassPeaks probe_pass(Job& job,
                     Session& session,
                     const augment::DeviceBatch& inputs,
                     std::int64_t images);

struct MemoryForecast {
  std::int64_t state_bytes = 0;  // parameters, gradients, wire, moments and their like
  std::int64_t input_bytes = 0;  // images and labels on the device
  std::array<std::int64_t, kNumMemoryPhases> peaks{};

  std::int64_t peak_bytes() const;
};

// Bytes of a rank that live outside of steps: arenas and optimizer state.
std::int64_t state_bytes(const Session& session);

// Of steps with batches like `batch`. Feeds it.
MemoryForecast forecast_memory(Job& job, Session& session, const data::Batch& batch);

}  // namespace lockstep::train
