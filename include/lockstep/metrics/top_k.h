// Top-k accuracy on plain arrays, as integer counts that add up over batches and ranks.
#pragma once

#include <cstdint>
#include <span>

namespace lockstep::metrics {

struct TopKCounts {
  std::int64_t correct1 = 0;
  std::int64_t correct5 = 0;
  std::int64_t total = 0;

  TopKCounts& operator+=(const TopKCounts& other);
  // Shares from 0 to 1; NaN when nothing was counted.
  double top1() const;
  double top5() const;

  bool operator==(const TopKCounts&) const = default;
};

// `logits` (B, K) row by row, `labels` (B), `weights` (B). A sample whose weight is 0 is padding:
// it is not counted and its label not looked at. A sample is correct within k when fewer than k
// classes stand before its label in the order: larger logit first, of equal logits the lower class
// index first. So a constant output is right for class 0 only, whatever a library's topk would
// return. NaN stands before every number, and a label whose own logit is NaN is wrong. With K < 5
// every label with a number for a logit is correct within 5. Throws: Error(kBadData) for a label
// outside [0, K), naming the sample. Requires: num_classes > 0; logits.size() == labels.size() *
// num_classes; as many weights as labels.
TopKCounts count_top_k(std::span<const float> logits,
                       std::int64_t num_classes,
                       std::span<const std::int64_t> labels,
                       std::span<const float> weights);

}  // namespace lockstep::metrics
