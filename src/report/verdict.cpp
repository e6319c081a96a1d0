#include "report/verdict.h"

#include <lockstep/base/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep::report {
namespace {

// A share of the training time below this is not worth a word.
constexpr double kNotablePercent = 5;

double share_of(const RunFigures& figures, std::string_view key) {
  double training_ms = 0;
  for (const RankFigures& rank : figures.ranks) training_ms += rank.training_ms;
  training_ms /= static_cast<double>(figures.ranks.size());
  const auto bin =
      static_cast<std::size_t>(std::find(records::kBinKeys.begin(), records::kBinKeys.end(), key) -
                               records::kBinKeys.begin());
  return training_ms > 0 ? 100 * figures.bins[bin].ms / training_ms : 0.0;
}

}  // namespace

std::string make_verdict(const RunFigures& figures) {
  std::vector<std::pair<double, std::string_view>> causes{
      {figures.data_wait_percent, "input-bound"},
      {figures.comm_exposed_percent, "comm-exposed"},
      {share_of(figures, "host_to_device"), "copy-bound"},
      {share_of(figures, "other"), "unaccounted"}};
  std::erase_if(causes, [](const auto& cause) { return !(cause.first >= kNotablePercent); });
  std::stable_sort(
      causes.begin(), causes.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string words;
  for (const auto& [percent, word] : causes) {
    words += format("{}{} {:.0f} %", words.empty() ? "" : ", ", word, percent);
  }
  if (words.empty()) words = "compute-bound";
  if (figures.slowest && figures.slowest->over_mean_percent >= kNotablePercent) {
    words += format(
        ", rank {} slow by {:.0f} %", figures.slowest->rank, figures.slowest->over_mean_percent);
  }
  return words;
}

}  // namespace lockstep::report
