#include <lockstep/base/version.h>
#include <lockstep/report/render.h>

#include <nlohmann/json.hpp>

#include <cmath>

namespace lockstep::report {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

Json percentiles(const Percentiles& values) {
  return {{"p50", number(values.p50)}, {"p95", number(values.p95)}, {"p99", number(values.p99)}};
}

Json ledger(double wall_ms, const std::array<BinFigure, records::kNumBins>& bins) {
  Json out{{"wall_ms", number(wall_ms)}, {"bins", Json::object()}};
  for (std::size_t bin = 0; bin < records::kNumBins; ++bin) {
    out["bins"][std::string(records::kBinKeys[bin])] = {{"ms", number(bins[bin].ms)},
                                                        {"percent", number(bins[bin].percent)}};
  }
  return out;
}

Json rank_json(const RankFigures& rank) {
  return {{"rank", rank.rank},
          {"host", rank.host},
          {"device", rank.device},
          {"images_per_s", number(rank.images_per_s)},
          {"step_ms", percentiles(rank.step_ms)},
          {"ledger", ledger(rank.wall_ms, rank.bins)},
          {"training_ms", number(rank.training_ms)},
          {"useful_ms", number(rank.useful_ms)},
          {"own_ms", number(rank.own_ms)},
          {"data_wait_percent", number(rank.data_wait_percent)},
          {"comm_exposed_percent", number(rank.comm_exposed_percent)},
          {"closure_percent", number(rank.closure_percent)},
          {"other_percent", number(rank.other_percent)}};
}

Json slowest_json(const RunFigures& figures) {
  if (!figures.slowest) return nullptr;
  return {{"rank", figures.slowest->rank},
          {"own_ms", number(figures.slowest->own_ms)},
          {"over_mean_ms", number(figures.slowest->over_mean_ms)},
          {"over_mean_percent", number(figures.slowest->over_mean_percent)}};
}

Json comm_json(const CommFigures& comm) {
  return {{"bytes_per_step", number(comm.bytes_per_step)},
          {"total_ms", number(comm.total_ms)},
          {"hidden_percent", number(comm.hidden_percent)},
          {"algbw_gb_per_s", number(comm.algbw_gb_per_s)},
          {"busbw_gb_per_s", number(comm.busbw_gb_per_s)},
          {"straggler_wait_ms", number(comm.straggler_wait_ms)}};
}

Json closure_json(const Closure& closure) {
  return {{"holds", closure.holds()},
          {"worst_percent", number(closure.worst_percent)},
          {"worst_rank", closure.worst_rank},
          {"other_percent", number(closure.other_percent)},
          {"other_rank", closure.other_rank}};
}

Json result_json(const RunData& run) {
  if (!run.result) return nullptr;
  Json eval = Json::object();
  for (const auto& [name, value] : run.result->eval) eval[name] = number(value);
  return {{"status", run.result->status},
          {"exit_code", run.result->exit_code},
          {"steps", run.result->steps},
          {"epochs", run.result->epochs},
          {"images", run.result->images},
          {"wall_s", number(run.result->wall_s)},
          {"images_per_s", number(run.result->images_per_s)},
          {"loss", number(run.result->loss)},
          {"eval", std::move(eval)}};
}

Json run_json(const ReportedRun& reported) {
  const RunFigures& figures = reported.figures;
  Json out;
  out["name"] = figures.name;
  out["path"] = figures.path;
  out["verdict"] = figures.verdict;
  out["world_size"] = figures.world_size;
  out["hosts"] = figures.num_hosts;
  out["ranks_read"] = figures.num_ranks_read;
  out["missing_ranks"] = reported.run.missing_ranks;
  out["steps"] = {{"total", figures.num_steps},
                  {"warm_up", figures.num_warm_up},
                  {"measured", figures.num_measured},
                  {"first_measured", figures.first_measured_step},
                  {"last_measured", figures.last_measured_step}};
  out["images"] = figures.images;
  out["wall_s"] = number(figures.wall_s);
  const auto num_ranks = static_cast<double>(figures.num_ranks_read);
  out["images_per_s"] = {{"steady", number(figures.images_per_s_steady)},
                         {"steady_per_rank", number(figures.images_per_s_steady / num_ranks)},
                         {"overall", number(figures.images_per_s_overall)},
                         {"overall_per_rank", number(figures.images_per_s_overall / num_ranks)}};
  out["step_ms"] = percentiles(figures.step_ms);
  out["ledger"] = ledger(figures.wall_ms, figures.bins);
  out["efficiency"] = {{"load_balance", number(figures.load_balance)},
                       {"communication_efficiency", number(figures.communication_efficiency)},
                       {"parallel_efficiency", number(figures.parallel_efficiency)},
                       {"data_wait_percent", number(figures.data_wait_percent)},
                       {"comm_exposed_percent", number(figures.comm_exposed_percent)}};
  out["slowest_rank"] = slowest_json(figures);
  out["communication"] = comm_json(figures.comm);
  out["closure"] = closure_json(figures.closure);
  out["ranks"] = Json::array();
  for (const RankFigures& rank : figures.ranks) out["ranks"].push_back(rank_json(rank));
  out["result"] = result_json(reported.run);
  out["settings"] = reported.run.settings;
  out["environment"] = nullptr;
  if (!reported.run.environment_json.empty()) {
    out["environment"] = Json::parse(reported.run.environment_json);
  }
  out["notes"] = figures.notes;
  return out;
}

}  // namespace

std::string render_json(const std::vector<ReportedRun>& runs) {
  Json out;
  out["schema"] = kReportSchema;
  out["lockstep"] = build_info().version;
  out["runs"] = Json::array();
  for (const ReportedRun& reported : runs) out["runs"].push_back(run_json(reported));
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace lockstep::report
