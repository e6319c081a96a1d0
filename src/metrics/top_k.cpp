#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/metrics/top_k.h>

#include <cmath>
#include <cstddef>
#include <limits>

namespace lockstep::metrics {
namespace {

double share(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(part) / static_cast<double>(whole);
}

// Classes that stand before `label`; all of them when its own logit is NaN.
std::size_t place_of(std::span<const float> row, std::size_t label) {
  const float own = row[label];
  if (std::isnan(own)) return std::numeric_limits<std::size_t>::max();
  std::size_t before = 0;
  for (std::size_t k = 0; k < row.size(); ++k) {
    // !(x <= own) is also true for NaN, which stands before every number.
    const bool stands_before = k < label ? !(row[k] < own) : !(row[k] <= own);
    before += static_cast<std::size_t>(stands_before);
  }
  return before;
}

}  // namespace

TopKCounts& TopKCounts::operator+=(const TopKCounts& other) {
  correct1 += other.correct1;
  correct5 += other.correct5;
  total += other.total;
  return *this;
}

double TopKCounts::top1() const { return share(correct1, total); }
double TopKCounts::top5() const { return share(correct5, total); }

TopKCounts count_top_k(std::span<const float> logits,
                       std::int64_t num_classes,
                       std::span<const std::int64_t> labels,
                       std::span<const float> weights) {
  LOCKSTEP_CHECK(num_classes > 0, "top-k needs at least one class");
  const auto width = static_cast<std::size_t>(num_classes);
  LOCKSTEP_CHECK(logits.size() == labels.size() * width, "logits must be (B, K)");
  LOCKSTEP_CHECK(weights.size() == labels.size(), "one weight a sample");
  TopKCounts counts;
  for (std::size_t b = 0; b < labels.size(); ++b) {
    if (weights[b] == 0) continue;
    if (labels[b] < 0 || labels[b] >= num_classes) {
      throw data_error(format("sample {} of the batch has label {}, outside the {} classes",
                              b,
                              labels[b],
                              num_classes));
    }
    const std::size_t before =
        place_of(logits.subspan(b * width, width), static_cast<std::size_t>(labels[b]));
    counts.total += 1;
    counts.correct1 += static_cast<std::int64_t>(before < 1);
    counts.correct5 += static_cast<std::int64_t>(before < 5);
  }
  return counts;
}

}  // namespace lockstep::metrics
