// The section numbers are those of docs/reports.md, which holds every formula.
#include "report/verdict.h"

#include <lockstep/base/error.h>
#include <lockstep/report/figures.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <span>

namespace lockstep::report {
namespace {

using records::kNumBins;
using records::kUnknown;
using records::StepRecord;

// Positions in records::kBinKeys.
enum : std::size_t { kDataWait, kHostToDevice, kForward, kBackward, kCommExposed, kOptimizer };
enum : std::size_t { kSnapshot = 6, kEval = 7, kOther = 8 };
static_assert(records::kBinKeys[kOptimizer] == "optimizer" && records::kBinKeys[kOther] == "other");

constexpr double kClosureLimitPercent = 1;  // section 7
constexpr double kOtherLimitPercent = 2;    // section 7

double ratio(double part, double whole) { return whole > 0 ? part / whole : kUnknown; }
double percent(double part, double whole) { return 100 * ratio(part, whole); }

// Section 1.
std::size_t warm_up_steps(std::size_t num_steps) {
  if (num_steps < 2) return 0;
  return std::min<std::size_t>(10, (num_steps + 9) / 10);
}

// Section 2: a step without snapshots and evaluation.
double step_s(const StepRecord& record) {
  return std::max(0.0, record.wall_s - record.bins_s[kSnapshot] - record.bins_s[kEval]);
}

Percentiles percentiles_ms(const std::vector<double>& seconds) {
  return {1e3 * percentile(seconds, 0.50),
          1e3 * percentile(seconds, 0.95),
          1e3 * percentile(seconds, 0.99)};
}

// Images a second at the median step; steps that took no time are left out.
double median_rate(const std::vector<double>& images, const std::vector<double>& seconds) {
  std::vector<double> rates;
  for (std::size_t k = 0; k < images.size(); ++k) {
    if (seconds[k] > 0) rates.push_back(images[k] / seconds[k]);
  }
  return percentile(rates, 0.5);
}

double mean_ms(std::span<const StepRecord> steps, double (*value_s)(const StepRecord&)) {
  double sum = 0;
  for (const StepRecord& record : steps) sum += value_s(record);
  return 1e3 * ratio(sum, static_cast<double>(steps.size()));
}

double wall_of(const StepRecord& record) { return record.wall_s; }

// Section 4.
void fill_bins(std::span<const StepRecord> steps, RankFigures& out) {
  out.wall_ms = mean_ms(steps, wall_of);
  for (std::size_t bin = 0; bin < kNumBins; ++bin) {
    double sum = 0;
    for (const StepRecord& record : steps) sum += record.bins_s[bin];
    out.bins[bin].ms = 1e3 * ratio(sum, static_cast<double>(steps.size()));
    out.bins[bin].percent = percent(out.bins[bin].ms, out.wall_ms);
  }
}

// Section 7.
void fill_closure(std::span<const StepRecord> steps, RankFigures& out) {
  double gaps_s = 0;
  double wall_s = 0;
  std::vector<double> others;
  for (const StepRecord& record : steps) {
    const double sum = std::accumulate(record.bins_s.begin(), record.bins_s.end(), 0.0);
    gaps_s += std::abs(sum - record.wall_s);
    wall_s += record.wall_s;
    others.push_back(percent(record.bins_s[kOther], record.wall_s));
  }
  out.closure_percent = percent(gaps_s, wall_s);
  out.other_percent = percentile(std::move(others), 0.5);
}

RankFigures make_rank_figures(const RankRun& rank, std::size_t warm_up) {
  const std::span<const StepRecord> steps = std::span(rank.steps).subspan(warm_up);
  RankFigures out;
  out.rank = rank.header.rank;
  out.host = rank.header.host;
  out.device = rank.header.device;
  std::vector<double> seconds;
  std::vector<double> images;
  for (const StepRecord& record : steps) {
    seconds.push_back(step_s(record));
    images.push_back(static_cast<double>(record.images));
  }
  out.images_per_s = median_rate(images, seconds);
  out.step_ms = percentiles_ms(seconds);
  fill_bins(steps, out);
  fill_closure(steps, out);
  // Section 5.
  out.training_ms = mean_ms(steps, step_s);
  out.useful_ms = out.bins[kForward].ms + out.bins[kBackward].ms + out.bins[kOptimizer].ms;
  out.own_ms = std::max(0.0, out.training_ms - out.bins[kCommExposed].ms);
  out.data_wait_percent = percent(out.bins[kDataWait].ms, out.training_ms);
  out.comm_exposed_percent = percent(out.bins[kCommExposed].ms, out.training_ms);
  return out;
}

template <class Value>
double mean_of_ranks(const RunFigures& figures, Value value) {
  double sum = 0;
  for (const RankFigures& rank : figures.ranks) sum += value(rank);
  return ratio(sum, static_cast<double>(figures.ranks.size()));
}

template <class Value>
double largest_of_ranks(const RunFigures& figures, Value value) {
  double largest = 0;
  for (const RankFigures& rank : figures.ranks) largest = std::max(largest, value(rank));
  return largest;
}

// Sections 2 and 3, over all ranks.
void fill_rates(const RunData& run, RunFigures& out) {
  const std::size_t num_steps = run.ranks.front().steps.size();
  std::vector<double> seconds(num_steps, 0);
  std::vector<double> images(num_steps, 0);
  double total_images = 0;
  for (const RankRun& rank : run.ranks) {
    double wall_s = 0;
    for (std::size_t k = 0; k < num_steps; ++k) {
      seconds[k] = std::max(seconds[k], step_s(rank.steps[k]));
      images[k] += static_cast<double>(rank.steps[k].images);
      wall_s += rank.steps[k].wall_s;
    }
    out.wall_s = std::max(out.wall_s, wall_s);
  }
  total_images = std::accumulate(images.begin(), images.end(), 0.0);
  constexpr double kLargest = 9e18;
  out.images = static_cast<std::int64_t>(std::min(total_images, kLargest));
  out.images_per_s_overall = ratio(total_images, out.wall_s);
  const auto warm_up = static_cast<std::ptrdiff_t>(out.num_warm_up);
  seconds.erase(seconds.begin(), seconds.begin() + warm_up);
  images.erase(images.begin(), images.begin() + warm_up);
  out.images_per_s_steady = median_rate(images, seconds);
  out.step_ms = percentiles_ms(seconds);
}

// Section 5.
void fill_efficiency(RunFigures& out) {
  out.data_wait_percent =
      mean_of_ranks(out, [](const RankFigures& rank) { return rank.data_wait_percent; });
  out.comm_exposed_percent =
      mean_of_ranks(out, [](const RankFigures& rank) { return rank.comm_exposed_percent; });
  const auto useful = [](const RankFigures& rank) { return rank.useful_ms; };
  const double most_useful = largest_of_ranks(out, useful);
  const double training =
      largest_of_ranks(out, [](const RankFigures& rank) { return rank.training_ms; });
  out.load_balance = ratio(mean_of_ranks(out, useful), most_useful);
  out.communication_efficiency = ratio(most_useful, training);
  out.parallel_efficiency = out.load_balance * out.communication_efficiency;
  if (out.ranks.size() < 2) return;
  const auto slowest = std::max_element(
      out.ranks.begin(), out.ranks.end(), [](const RankFigures& a, const RankFigures& b) {
        return a.own_ms < b.own_ms;
      });
  const double mean = mean_of_ranks(out, [](const RankFigures& rank) { return rank.own_ms; });
  out.slowest = SlowestRank{slowest->rank,
                            slowest->own_ms,
                            slowest->own_ms - mean,
                            percent(slowest->own_ms - mean, mean)};
}

// Section 6.
void fill_comm(const RunData& run, RunFigures& out) {
  double bytes = 0;
  double total_s = 0;
  double exposed_s = 0;
  double straggler_s = 0;
  for (const RankRun& rank : run.ranks) {
    for (const StepRecord& record :
         std::span(rank.steps).subspan(static_cast<std::size_t>(out.num_warm_up))) {
      bytes += static_cast<double>(record.comm_bytes);
      total_s += record.comm_total_s;
      exposed_s += record.bins_s[kCommExposed];
      straggler_s += record.straggler_wait_s;
    }
  }
  const double rank_steps =
      static_cast<double>(out.num_measured) * static_cast<double>(run.ranks.size());
  out.comm.bytes_per_step = ratio(bytes, rank_steps);
  out.comm.total_ms = 1e3 * ratio(total_s, rank_steps);
  out.comm.straggler_wait_ms = 1e3 * ratio(straggler_s, rank_steps);
  if (run.world_size < 2 || !(total_s > 0)) return;
  const auto n = static_cast<double>(run.world_size);
  out.comm.hidden_percent = std::max(0.0, 100 - percent(exposed_s, total_s));
  out.comm.algbw_gb_per_s = bytes / total_s / 1e9;
  out.comm.busbw_gb_per_s = out.comm.algbw_gb_per_s * 2 * (n - 1) / n;
}

// Section 7.
void fill_closure(RunFigures& out) {
  for (const RankFigures& rank : out.ranks) {
    if (rank.closure_percent > out.closure.worst_percent) {
      out.closure.worst_percent = rank.closure_percent;
      out.closure.worst_rank = rank.rank;
    }
    if (rank.other_percent > out.closure.other_percent) {
      out.closure.other_percent = rank.other_percent;
      out.closure.other_rank = rank.rank;
    }
  }
  out.closure.bins_close = out.closure.worst_percent <= kClosureLimitPercent;
  out.closure.other_small = out.closure.other_percent <= kOtherLimitPercent;
}

}  // namespace

double percentile(std::vector<double> values, double fraction) {
  if (values.empty()) return kUnknown;
  std::sort(values.begin(), values.end());
  const double place = fraction * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  const double part = place - static_cast<double>(below);
  return values[below] + part * (values[above] - values[below]);
}

RunFigures make_figures(const RunData& run) {
  LOCKSTEP_CHECK(!run.ranks.empty() && !run.ranks.front().steps.empty(), "a run without steps");
  const std::vector<StepRecord>& steps = run.ranks.front().steps;
  const std::size_t warm_up = warm_up_steps(steps.size());
  RunFigures out;
  out.name = run.name;
  out.path = run.path.string();
  out.world_size = run.world_size;
  out.num_ranks_read = static_cast<std::int64_t>(run.ranks.size());
  out.num_steps = static_cast<std::int64_t>(steps.size());
  out.num_warm_up = static_cast<std::int64_t>(warm_up);
  out.num_measured = out.num_steps - out.num_warm_up;
  out.first_measured_step = steps[warm_up].step;
  out.last_measured_step = steps.back().step;
  out.notes = run.notes;
  std::set<std::string> hosts;
  for (const RankRun& rank : run.ranks) {
    out.ranks.push_back(make_rank_figures(rank, warm_up));
    hosts.insert(rank.header.host);
  }
  out.num_hosts = static_cast<std::int64_t>(hosts.size());
  fill_rates(run, out);
  out.wall_ms = mean_of_ranks(out, [](const RankFigures& rank) { return rank.wall_ms; });
  for (std::size_t bin = 0; bin < kNumBins; ++bin) {
    out.bins[bin].ms =
        mean_of_ranks(out, [bin](const RankFigures& rank) { return rank.bins[bin].ms; });
    out.bins[bin].percent = percent(out.bins[bin].ms, out.wall_ms);
  }
  fill_efficiency(out);
  fill_comm(run, out);
  fill_closure(out);
  out.verdict = make_verdict(out);
  return out;
}

}  // namespace lockstep::report
