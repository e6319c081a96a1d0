// The figures of a run. Every formula stands in docs/reports.md; the comments name its section.
#pragma once

#include <lockstep/records/schema.h>
#include <lockstep/report/run.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::report {

// A figure that cannot be had (one rank, no communication) is NaN. Percentages are 0 to 100,
// efficiencies 0 to 1.

struct Percentiles {  // section 3
  double p50 = records::kUnknown;
  double p95 = records::kUnknown;
  double p99 = records::kUnknown;
};

struct BinFigure {  // section 4
  double ms = 0;    // a step
  double percent = 0;
};

struct RankFigures {
  std::int64_t rank = 0;
  std::string host;
  std::string device;
  double images_per_s = records::kUnknown;  // section 2, of this rank alone
  Percentiles step_ms;
  double wall_ms = 0;  // a step, snapshots and evaluation included
  std::array<BinFigure, records::kNumBins> bins{};
  double useful_ms = 0;          // section 5
  double own_ms = 0;             // section 5
  double training_ms = 0;        // section 5
  double data_wait_percent = 0;  // section 5, of the training time
  double comm_exposed_percent = 0;
  double closure_percent = 0;  // section 7
  double other_percent = 0;    // section 7, median step
};

struct SlowestRank {  // section 5
  std::int64_t rank = 0;
  double own_ms = 0;
  double over_mean_ms = 0;
  double over_mean_percent = 0;
};

struct CommFigures {          // section 6
  double bytes_per_step = 0;  // of one rank
  double total_ms = 0;        // in flight a step
  double hidden_percent = records::kUnknown;
  double algbw_gb_per_s = records::kUnknown;
  double busbw_gb_per_s = records::kUnknown;
  double straggler_wait_ms = 0;
};

struct Closure {  // section 7
  double worst_percent = 0;
  std::int64_t worst_rank = 0;
  double other_percent = 0;  // median step of the rank where it is largest
  std::int64_t other_rank = 0;
  bool bins_close = true;
  bool other_small = true;

  bool holds() const { return bins_close && other_small; }
};

struct RunFigures {
  std::string name;
  std::string path;
  std::int64_t world_size = 1;
  std::int64_t num_ranks_read = 0;
  std::int64_t num_hosts = 1;
  std::int64_t num_steps = 0;    // that every rank read has
  std::int64_t num_warm_up = 0;  // section 1: left out of everything but the overall rate
  std::int64_t num_measured = 0;
  std::int64_t first_measured_step = 0;
  std::int64_t last_measured_step = 0;
  std::int64_t images = 0;                          // of all steps
  double wall_s = 0;                                // of all steps
  double images_per_s_overall = records::kUnknown;  // section 2
  double images_per_s_steady = records::kUnknown;   // section 2
  Percentiles step_ms;                              // section 3
  double wall_ms = 0;
  std::array<BinFigure, records::kNumBins> bins{};  // section 4, mean of the ranks
  double data_wait_percent = 0;                     // section 5, mean of the ranks
  double comm_exposed_percent = 0;
  double load_balance = records::kUnknown;
  double communication_efficiency = records::kUnknown;
  double parallel_efficiency = records::kUnknown;
  std::optional<SlowestRank> slowest;  // with two ranks or more
  CommFigures comm;
  Closure closure;
  std::string verdict;  // section 8
  std::vector<RankFigures> ranks;
  std::vector<std::string> notes;
};

// Requires: a run as read_run() returns it.
RunFigures make_figures(const RunData& run);

// Linear interpolation between the two nearest of the sorted values; NaN when there are none.
// `fraction` from 0 to 1.
double percentile(std::vector<double> values, double fraction);

}  // namespace lockstep::report
