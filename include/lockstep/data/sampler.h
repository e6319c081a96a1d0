// Which samples each rank sees in which step: a pure function of (seed, epoch, step), whose global
// order does not depend on the number of ranks.
#pragma once

#include <lockstep/data/options.h>

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
  bool shuffle = true;     // redrawn every epoch; false: as stored
  bool drop_last = false;  // false: the last step of an epoch is padded with zero-weight samples
  // Block j of B samples of a step is micro-batch j / R of rank j % R; with this micro-batch j % A
  // of rank j / A, so that a rank has neighbouring blocks (run.determinism = world).
  bool neighbouring_blocks = false;
  // 1: exact uniform shuffle. Above: window order for files that store this many samples a chunk:
  // the chunks are shuffled, then the samples inside windows of `window_chunks` chunks.
  std::int64_t chunk_samples = 1;
  std::int64_t window_chunks = 16;

  bool uses_windows() const { return shuffle && chunk_samples > 1; }
};

// Fills shuffle, chunk_samples and window_chunks as data.order asks for. `samples_per_chunk` is how
// many samples one read of the file brings (1: each has its own bytes); auto takes the uniform
// shuffle there and windows elsewhere.
void choose_order(const Options& options, std::int64_t samples_per_chunk, SamplerOptions& sampler);

// How well an order mixes, beside what a uniform shuffle of as many samples gives on average.
struct ShuffleQuality {
  double displacement = 0;  // mean |place in the order - place in the file| over that of a shuffle
  double chunks_per_step = 0;          // different chunks among the samples of a step, mean
  double uniform_chunks_per_step = 0;  // expected of a uniform shuffle
};
ShuffleQuality measure_shuffle(std::span<const std::int64_t> order,
                               std::int64_t chunk_samples,
                               std::int64_t samples_per_step);

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
  // Of the order that was drawn. Requires: begin_epoch() was called.
  ShuffleQuality quality() const;
  std::span<const std::int64_t> order() const { return order_; }
  const SamplerOptions& options() const { return options_; }

 private:
  void draw_windows(std::int64_t epoch);

  SamplerOptions options_;
  std::vector<std::int64_t> order_;
};

}  // namespace lockstep::data
