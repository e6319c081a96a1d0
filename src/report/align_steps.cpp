#include "report/align_steps.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace lockstep::report {
namespace {

using Steps = std::vector<std::int64_t>;

bool usable(const records::StepRecord& record) {
  return std::all_of(record.bins_s.begin(),
                     record.bins_s.end(),
                     [](double seconds) { return std::isfinite(seconds); }) &&
         std::isfinite(record.wall_s) && record.wall_s > 0 && std::isfinite(record.comm_total_s) &&
         std::isfinite(record.straggler_wait_s);
}

Steps common_steps(const RunData& run) {
  Steps common;
  for (const records::StepRecord& record : run.ranks.front().steps) common.push_back(record.step);
  for (const RankRun& rank : run.ranks) {
    Steps both;
    auto record = rank.steps.begin();
    for (const std::int64_t step : common) {
      while (record != rank.steps.end() && record->step < step) ++record;
      if (record != rank.steps.end() && record->step == step) both.push_back(step);
    }
    common = std::move(both);
  }
  return common;
}

// Drops the steps of `rank` that are not in `steps`.
void keep(RankRun& rank, const Steps& steps) {
  auto wanted = steps.begin();
  std::erase_if(rank.steps, [&](const records::StepRecord& record) {
    while (wanted != steps.end() && *wanted < record.step) ++wanted;
    return wanted == steps.end() || *wanted != record.step;
  });
}

void note_uneven_ranks(RunData& run, const Steps& common) {
  std::size_t most = 0;
  for (const RankRun& rank : run.ranks) most = std::max(most, rank.steps.size());
  if (most == common.size()) return;
  const auto shortest =
      std::min_element(run.ranks.begin(), run.ranks.end(), [](const RankRun& a, const RankRun& b) {
        return a.steps.size() < b.steps.size();
      });
  run.notes.push_back(
      format("the ranks hold differing steps (rank {} ends at step {}): the {} steps that all have "
             "are used",
             shortest->header.rank,
             shortest->steps.back().step,
             common.size()));
}

}  // namespace

void align_steps(RunData& run) {
  Steps common = common_steps(run);
  note_uneven_ranks(run, common);
  for (RankRun& rank : run.ranks) keep(rank, common);
  Steps good;
  for (std::size_t k = 0; k < common.size(); ++k) {
    const bool all_usable = std::all_of(run.ranks.begin(), run.ranks.end(), [k](const auto& rank) {
      return usable(rank.steps[k]);
    });
    if (all_usable) good.push_back(common[k]);
  }
  if (good.empty()) {
    throw data_error(format("{}: the ranks have no usable step in common", run.path.string()));
  }
  if (good.size() == common.size()) return;
  run.notes.push_back(format("{} steps are left out: a time that is not finite, or no wall time",
                             common.size() - good.size()));
  for (RankRun& rank : run.ranks) keep(rank, good);
}

}  // namespace lockstep::report
