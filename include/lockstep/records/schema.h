// What a run writes about itself, field by field: the per-rank ledger (ranks/rank_00000.jsonl), the
// metrics of rank 0 (metrics.jsonl) and the final figures (result.json). docs/reports.md describes
// the files; this header must not know who fills or reads them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep::records {

// Raised when a key changes its meaning or leaves; keys that are added do not raise it. Readers
// refuse every other number.
inline constexpr std::int64_t kRankSchema = 1;
inline constexpr std::int64_t kMetricsSchema = 1;
inline constexpr std::int64_t kResultSchema = 1;

// The exclusive bins of a step, in the order of StepRecord::bins_s. docs/reports.md defines them.
inline constexpr std::array<std::string_view, 9> kBinKeys{"data_wait",
                                                          "host_to_device",
                                                          "forward",
                                                          "backward",
                                                          "comm_exposed",
                                                          "optimizer",
                                                          "snapshot",
                                                          "eval",
                                                          "other"};
inline constexpr std::size_t kNumBins = kBinKeys.size();

// The most that LibTorch's allocator had handed out, by the phase of a step, in the order of
// StepRecord::memory_bytes.
inline constexpr std::array<std::string_view, 3> kMemoryKeys{
    "memory_forward_bytes", "memory_backward_bytes", "memory_update_bytes"};

// First line of a rank's file; a resumed run adds another where it goes on.
struct RankHeader {
  std::int64_t rank = 0;
  std::int64_t world_size = 1;
  std::string host;
  std::int64_t pid = 0;
  std::string device;  // "cpu", "cuda:0 NVIDIA H200"
  std::string build_id;
  std::string start_time;  // "2026-01-31T12:00:00Z"
};

// One step of one rank. `step` counts from 1 and rises strictly within a file.
struct StepRecord {
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  std::array<double, kNumBins> bins_s{};  // seconds, in the order of kBinKeys
  double wall_s = 0;                      // measured apart from the bins
  std::int64_t images = 0;                // real samples of this rank, padding not counted
  std::int64_t bytes_read = 0;            // from the data set
  double comm_total_s = 0;                // collectives in flight, hidden or not
  std::int64_t comm_bytes = 0;            // payload this rank handed to collectives
  double straggler_wait_s = 0;            // part of comm_total spent waiting for slower ranks
  std::array<std::int64_t, kMemoryKeys.size()> memory_bytes{};
};

// Figures of an evaluation by name ("top1", "ap50"), in the order in which they are written.
using EvalFigures = std::vector<std::pair<std::string, double>>;

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// One line of metrics.jsonl. A number that is not finite is written as null.
struct MetricsRecord {
  std::int64_t step = 0;
  std::int64_t epoch = 0;
  double loss = kUnknown;  // mean over the real samples of the global step
  double lr = kUnknown;
  double grad_norm = kUnknown;
  double loss_scale = 1;
  double images_per_s = kUnknown;
  double images_per_s_per_rank = kUnknown;
  double step_ms = kUnknown;
  double data_wait_ms = kUnknown;
  double comm_exposed_ms = kUnknown;
  std::int64_t memory_peak_bytes = 0;
  EvalFigures eval;  // empty: the line has no eval object
};

// result.json: the final figures of a run.
struct RunResult {
  std::string status;  // "done", "stopped", "failed"
  std::int64_t steps = 0;
  std::int64_t epochs = 0;
  std::int64_t images = 0;
  double wall_s = kUnknown;
  double images_per_s = kUnknown;
  double loss = kUnknown;
  EvalFigures eval;
  std::int64_t exit_code = 0;
  std::int64_t world_size = 1;
  // Further figures by name ("device_utilisation", "memory_peak_bytes"); top-level keys.
  EvalFigures more;
};

}  // namespace lockstep::records
