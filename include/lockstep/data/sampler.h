// Which samples each rank sees in which step: a pure function of (seed, epoch, step), whose global
// order does not depend on the number of ranks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lockstep::data {

struct SamplerOptions {
  std::int64_t num_samples = 0;
  std::int64_t batch_per_rank = 1;  // B
  std::int64_t num_ranks = 1;       // R
  std::int64_t accumulate = 1;      // A micro-batches; a global step takes R x B x A samples
  std::uint64_t seed = 0;
  bool shuffle = true;     // exact uniform shuffle, redrawn every epoch
  bool drop_last = false;  // false: the last step of an epoch is padded with zero-weight samples
};

// Index -1 marks a padding slot (weight 0).
class Sampler {
 public:
  // Throws: Error(kConfig) when there are fewer samples than ranks, or a global step that is
  // larger than the data set with drop_last.
  explicit Sampler(const SamplerOptions& options);

  std::int64_t steps_per_epoch() const;
  std::int64_t samples_per_step() const;  // R x B x A
  // Real samples of the whole global step: the loss normaliser, known before forward.
  std::int64_t num_real(std::int64_t step_in_epoch) const;
  // Sample indices of one micro-batch of one rank, length B, -1 where padded.
  // Requires: begin_epoch(epoch) was called for the epoch in question.
  std::vector<std::int64_t> micro_batch(std::int64_t step_in_epoch,
                                        std::int64_t micro,
                                        std::int64_t rank) const;
  // The same without an allocation. Requires: `out` has length B.
  void fill_micro_batch(std::int64_t step_in_epoch,
                        std::int64_t micro,
                        std::int64_t rank,
                        std::span<std::int64_t> out) const;
  // Draws the order of an epoch (Fisher-Yates from Philox keyed by seed and epoch).
  void begin_epoch(std::int64_t epoch);
  std::span<const std::int64_t> order() const { return order_; }
  const SamplerOptions& options() const { return options_; }

 private:
  SamplerOptions options_;
  std::vector<std::int64_t> order_;
};

}  // namespace lockstep::data
