// The order of samples over steps, micro-batches and ranks. Pure: no files, no threads.
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/random.h>
#include <lockstep/data/sampler.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace lockstep::data {
namespace {

// Keeps the sampler's random numbers apart from other users of the same seed.
constexpr std::uint64_t kStreamTag = 0x53414D50ULL << 32;

std::int64_t checked_product(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) {
    throw config_error("ranks x train.batch_per_rank x train.accumulate is too large");
  }
  return product;
}

void check(const SamplerOptions& options) {
  LOCKSTEP_CHECK(options.num_ranks >= 1, "a sampler needs at least one rank");
  if (options.batch_per_rank < 1) {
    throw config_error(
        format("train.batch_per_rank = {}: must be at least 1", options.batch_per_rank));
  }
  if (options.accumulate < 1) {
    throw config_error(format("train.accumulate = {}: must be at least 1", options.accumulate));
  }
  if (options.num_samples < options.num_ranks) {
    throw config_error(
        format("{} ranks are more than the {} samples of the data set: start fewer ranks",
               options.num_ranks,
               options.num_samples));
  }
}

}  // namespace

Sampler::Sampler(const SamplerOptions& options) : options_(options) {
  check(options_);
  const std::int64_t step = checked_product(
      checked_product(options_.num_ranks, options_.batch_per_rank), options_.accumulate);
  if (options_.drop_last && step > options_.num_samples) {
    throw config_error(
        format("a step takes {} samples (ranks x train.batch_per_rank x train.accumulate), the "
               "data set has {}: with data.last_batch = drop nothing is left, lower the batch",
               step,
               options_.num_samples));
  }
}

std::int64_t Sampler::samples_per_step() const {
  return options_.num_ranks * options_.batch_per_rank * options_.accumulate;
}

std::int64_t Sampler::steps_per_epoch() const {
  const std::int64_t step = samples_per_step();
  const std::int64_t full = options_.num_samples / step;
  return full + (!options_.drop_last && options_.num_samples % step != 0 ? 1 : 0);
}

std::int64_t Sampler::num_real(std::int64_t step_in_epoch) const {
  const std::int64_t step = samples_per_step();
  return std::clamp<std::int64_t>(options_.num_samples - step_in_epoch * step, 0, step);
}

void Sampler::fill_micro_batch(std::int64_t step_in_epoch,
                               std::int64_t micro,
                               std::int64_t rank,
                               std::span<std::int64_t> out) const {
  LOCKSTEP_CHECK(!order_.empty(), "begin_epoch() before micro_batch()");
  LOCKSTEP_CHECK(step_in_epoch >= 0 && step_in_epoch < steps_per_epoch(), "no such step");
  LOCKSTEP_CHECK(micro >= 0 && micro < options_.accumulate, "no such micro-batch");
  LOCKSTEP_CHECK(rank >= 0 && rank < options_.num_ranks, "no such rank");
  LOCKSTEP_CHECK(std::ssize(out) == options_.batch_per_rank, "micro-batch of another size");
  // Block j of a step is micro-batch j / R of rank j % R: R x A splits of one product see the same
  // blocks, and padding falls on the last micro-batch first.
  std::int64_t position = step_in_epoch * samples_per_step() +
                          (micro * options_.num_ranks + rank) * options_.batch_per_rank;
  for (std::int64_t& index : out) {
    index = position < options_.num_samples ? order_[static_cast<std::size_t>(position)] : -1;
    ++position;
  }
}

std::vector<std::int64_t> Sampler::micro_batch(std::int64_t step_in_epoch,
                                               std::int64_t micro,
                                               std::int64_t rank) const {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(options_.batch_per_rank));
  fill_micro_batch(step_in_epoch, micro, rank, indices);
  return indices;
}

void Sampler::begin_epoch(std::int64_t epoch) {
  order_.resize(static_cast<std::size_t>(options_.num_samples));
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  if (!options_.shuffle) return;
  PhiloxStream random(options_.seed, kStreamTag ^ static_cast<std::uint64_t>(epoch));
  for (std::size_t left = order_.size(); left > 1; --left) {
    std::swap(order_[left - 1], order_[random.below(left)]);
  }
}

}  // namespace lockstep::data
