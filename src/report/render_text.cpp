#include "report/table.h"

#include <lockstep/base/format.h>
#include <lockstep/base/units.h>
#include <lockstep/report/render.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace lockstep::report {
namespace {

// More ranks than this are not listed one by one: the slowest are.
constexpr std::size_t kMostRanksListed = 16;

constexpr std::array<std::string_view, records::kNumBins> kBinNames{"data wait",
                                                                    "host to device",
                                                                    "forward",
                                                                    "backward",
                                                                    "comm exposed",
                                                                    "optimizer",
                                                                    "snapshot",
                                                                    "evaluation",
                                                                    "other"};

std::string fixed(double value, int decimals) {
  if (!std::isfinite(value)) return "-";
  switch (decimals) {
    case 0:
      return format("{:.0f}", value);
    case 1:
      return format("{:.1f}", value);
    case 2:
      return format("{:.2f}", value);
    default:
      return format("{:.3f}", value);
  }
}

// As many decimals as leave four digits of a number of this size.
int decimals_for(double size) {
  if (size >= 1000) return 0;
  if (size >= 100) return 1;
  return size >= 10 ? 2 : 3;
}

std::string four_digits(double value) { return fixed(value, decimals_for(std::abs(value))); }
std::string percent_text(double value) { return fixed(value, 1) + " %"; }
std::string count_of(std::int64_t number, std::string_view noun) {
  return format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

std::string setting(const RunData& run, const std::string& key) {
  const auto found = run.settings.find(key);
  return found == run.settings.end() ? "" : found->second;
}

std::string heading(const RunData& run, const RunFigures& figures) {
  std::string model = setting(run, "model.name");
  if (const std::string precision = setting(run, "precision.compute"); !precision.empty()) {
    model += format("{}{}", model.empty() ? "" : ", ", precision);
  }
  std::string out = format("lockstep report: {}\n", figures.path);
  out += format("  {}{}on {} ({})\n",
                model.empty() ? "" : model + ", ",
                count_of(figures.world_size, "rank") + " ",
                count_of(figures.num_hosts, "host"),
                run.ranks.front().header.device);
  out += format("  {}, {} images in {}; steps {} to {} measured, {} of warm-up left out\n",
                count_of(figures.num_steps, "step"),
                count_text(static_cast<double>(figures.images)),
                duration_text(figures.wall_s),
                figures.first_measured_step,
                figures.last_measured_step,
                figures.num_warm_up);
  if (run.result) {
    out += format("  ended \"{}\" with loss {}", run.result->status, four_digits(run.result->loss));
    std::string_view before = "; evaluation: ";
    for (const auto& [name, value] : run.result->eval) {
      out += format("{}{} {}", before, name, four_digits(value));
      before = ", ";
    }
    out += "\n";
  }
  return out;
}

std::string throughput(const RunFigures& figures) {
  const auto num_ranks = static_cast<double>(figures.num_ranks_read);
  Table rates("lrr");
  rates.row({"images/s", "all ranks", "per rank"});
  rates.row({"steady (median step)",
             four_digits(figures.images_per_s_steady),
             four_digits(figures.images_per_s_steady / num_ranks)});
  rates.row({"overall (all included)",
             four_digits(figures.images_per_s_overall),
             four_digits(figures.images_per_s_overall / num_ranks)});
  const int decimals = decimals_for(figures.step_ms.p50);
  Table step("lrrr");
  step.row({"step, ms", "p50", "p95", "p99"});
  step.row({"slowest rank of each step",
            fixed(figures.step_ms.p50, decimals),
            fixed(figures.step_ms.p95, decimals),
            fixed(figures.step_ms.p99, decimals)});
  return rates.text(2) + "\n" + step.text(2);
}

std::string ledger(const RunFigures& figures) {
  const int decimals = decimals_for(figures.wall_ms);
  Table table("lrr");
  table.row({"where the time goes", "ms/step", "%"});
  for (std::size_t bin = 0; bin < records::kNumBins; ++bin) {
    table.row({std::string(kBinNames[bin]),
               fixed(figures.bins[bin].ms, decimals),
               fixed(figures.bins[bin].percent, 1)});
  }
  table.row({"wall", fixed(figures.wall_ms, decimals), "100.0"});
  return table.text(2);
}

std::string efficiency(const RunFigures& figures) {
  Table table("lrl");
  table.row({"efficiency", "", ""});
  table.row({"load balance", fixed(figures.load_balance, 3), "mean / most useful time of a rank"});
  table.row(
      {"communication", fixed(figures.communication_efficiency, 3), "most useful / training"});
  table.row({"parallel", fixed(figures.parallel_efficiency, 3), "the product of both"});
  table.row({"data wait", percent_text(figures.data_wait_percent), "of the training time"});
  table.row({"comm exposed", percent_text(figures.comm_exposed_percent), "of the training time"});
  return table.text(2);
}

std::string communication(const RunFigures& figures) {
  if (!std::isfinite(figures.comm.algbw_gb_per_s)) return {};
  Table table("ll");
  table.row({"all-reduce",
             format("{} a step, {} ms in flight, {} hidden",
                    bytes_text(figures.comm.bytes_per_step),
                    four_digits(figures.comm.total_ms),
                    percent_text(figures.comm.hidden_percent))});
  table.row({"",
             format("algbw {} GB/s, busbw {} GB/s",
                    four_digits(figures.comm.algbw_gb_per_s),
                    four_digits(figures.comm.busbw_gb_per_s))});
  return "\n" + table.text(2);
}

std::string rank_table(const RunFigures& figures) {
  if (figures.ranks.size() < 2) return {};
  std::vector<const RankFigures*> listed;
  for (const RankFigures& rank : figures.ranks) listed.push_back(&rank);
  std::string title = "\n";
  if (listed.size() > kMostRanksListed) {
    std::stable_sort(listed.begin(), listed.end(), [](const auto* a, const auto* b) {
      return a->own_ms > b->own_ms;
    });
    listed.resize(kMostRanksListed);
    title += format("  the {} slowest of {} ranks\n", kMostRanksListed, figures.ranks.size());
  }
  const int decimals = decimals_for(figures.wall_ms);
  Table table("rlrrrrrr");
  table.row(
      {"rank", "host", "images/s", "step ms", "useful ms", "own ms", "data wait", "comm exp."});
  for (const RankFigures* rank : listed) {
    table.row({format("{}", rank->rank),
               rank->host,
               four_digits(rank->images_per_s),
               fixed(rank->step_ms.p50, decimals),
               fixed(rank->useful_ms, decimals),
               fixed(rank->own_ms, decimals),
               percent_text(rank->data_wait_percent),
               percent_text(rank->comm_exposed_percent)});
  }
  std::string out = title + table.text(2);
  if (figures.slowest) {
    out += format("  slowest: rank {}, {} ms ({}) over the mean of the ranks\n",
                  figures.slowest->rank,
                  four_digits(figures.slowest->over_mean_ms),
                  percent_text(figures.slowest->over_mean_percent));
  }
  return out;
}

std::string closure_line(const RunFigures& figures) {
  const Closure& closure = figures.closure;
  if (closure.holds()) {
    return format(
        "  ledger check: closes, bins sum to wall within {:.2f} % (limit 1 %), other {:.2f} % at "
        "the "
        "median (limit 2 %)\n",
        closure.worst_percent,
        closure.other_percent);
  }
  std::string out;
  if (!closure.bins_close) {
    out += format(
        "  !!! THE LEDGER DOES NOT CLOSE: on rank {} the bins miss the wall time by {:.2f} % "
        "(limit "
        "1 %); do not trust the shares above\n",
        closure.worst_rank,
        closure.worst_percent);
  }
  if (!closure.other_small) {
    out += format(
        "  !!! TOO MUCH IS UNACCOUNTED: on rank {} other takes {:.2f} % of the median step (limit "
        "2 "
        "%)\n",
        closure.other_rank,
        closure.other_percent);
  }
  return out;
}

std::string notes(const RunFigures& figures) {
  std::string out;
  for (const std::string& note : figures.notes) out += format("  note: {}\n", note);
  return out;
}

std::string one_run(const ReportedRun& reported) {
  const RunFigures& figures = reported.figures;
  return heading(reported.run, figures) + format("\n  verdict: {}\n\n", figures.verdict) +
         throughput(figures) + "\n" + ledger(figures) + "\n" + efficiency(figures) +
         communication(figures) + rank_table(figures) + "\n" + closure_line(figures) +
         notes(figures);
}

std::string many_runs(const std::vector<ReportedRun>& runs) {
  Table table("lrrrrrrrrl");
  table.row({"run",
             "ranks",
             "images/s",
             "per rank",
             "step ms",
             "data wait",
             "comm exp.",
             "load bal.",
             "parallel",
             "verdict"});
  std::string remarks;
  for (const ReportedRun& reported : runs) {
    const RunFigures& figures = reported.figures;
    table.row(
        {figures.name,
         format("{}", figures.world_size),
         four_digits(figures.images_per_s_steady),
         four_digits(figures.images_per_s_steady / static_cast<double>(figures.num_ranks_read)),
         four_digits(figures.step_ms.p50),
         percent_text(figures.data_wait_percent),
         percent_text(figures.comm_exposed_percent),
         fixed(figures.load_balance, 3),
         fixed(figures.parallel_efficiency, 3),
         figures.verdict});
    const std::string remark =
        (figures.closure.holds() ? "" : closure_line(figures)) + notes(figures);
    if (!remark.empty()) remarks += format("\n{}\n{}", figures.path, remark);
  }
  return format("lockstep report: {} runs, steady rate and median step of each\n\n", runs.size()) +
         table.text(2) + remarks;
}

}  // namespace

std::string render_text(const std::vector<ReportedRun>& runs) {
  return runs.size() == 1 ? one_run(runs.front()) : many_runs(runs);
}

}  // namespace lockstep::report
