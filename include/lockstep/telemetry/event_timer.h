// Times spans of device work without ever waiting for the device: results come some spans later.
// Thread: one thread at a time.
#pragma once

#include <lockstep/gpu/device.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace lockstep::telemetry {

class EventTimer {
 public:
  // At most `depth` spans are in flight; a span that finds none free is not measured but counted.
  EventTimer(gpu::Backend& backend, std::size_t depth);

  // Stream: marks the points on `stream`. Requires: start and stop alternate.
  void start(gpu::StreamHandle stream);
  void stop(gpu::StreamHandle stream);
  // Seconds of the oldest finished span, each once and in order; nullopt when the oldest still
  // runs.
  std::optional<double> poll_s();

  std::int64_t num_skipped() const { return num_skipped_; }

 private:
  struct Pair {
    std::unique_ptr<gpu::Event> from;
    std::unique_ptr<gpu::Event> to;
  };

  std::vector<Pair> ring_;
  std::size_t first_ = 0;   // oldest span in flight
  std::size_t length_ = 0;  // spans in flight, the open one included
  bool open_ = false;
  bool skipping_ = false;
  std::int64_t num_skipped_ = 0;
};

}  // namespace lockstep::telemetry
