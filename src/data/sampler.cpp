// The order of samples over steps, micro-batches and ranks. Pure: no files, no threads.
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/random.h>
#include <lockstep/data/sampler.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

namespace lockstep::data {
namespace {

// Keeps the sampler's random numbers apart from other users of the same seed.
constexpr std::uint64_t kStreamTag = 0x53414D50ULL << 32;
constexpr std::uint64_t kWindowTag = 0x57494E44ULL << 32;

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
  LOCKSTEP_CHECK(options.chunk_samples >= 1 && options.window_chunks >= 1,
                 "windows hold at least one chunk of one sample");
  if (options.num_samples < options.num_ranks) {
    throw config_error(
        format("{} ranks are more than the {} samples of the data set: start fewer ranks",
               options.num_ranks,
               options.num_samples));
  }
}

// Fisher-Yates (Knuth, TAOCP volume 2, algorithm P). The places to swap with are drawn ahead in
// blocks, so that their cache lines are on the way before they are needed.
void shuffle_in_place(std::span<std::int64_t> values, PhiloxStream& random) {
  constexpr std::size_t kBlock = 64;
  std::array<std::size_t, kBlock> places{};
  std::size_t left = values.size();
  while (left > 1) {
    const std::size_t count = std::min(kBlock, left - 1);
    for (std::size_t i = 0; i < count; ++i) {
      places[i] = random.below(left - i);
      __builtin_prefetch(&values[places[i]], 1);
    }
    for (std::size_t i = 0; i < count; ++i, --left) std::swap(values[left - 1], values[places[i]]);
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
  // R x A splits of one product see the same blocks, and padding falls on the last micro-batch
  // first (with neighbouring blocks on the last rank).
  const std::int64_t block = options_.neighbouring_blocks ? rank * options_.accumulate + micro
                                                          : micro * options_.num_ranks + rank;
  std::int64_t position = step_in_epoch * samples_per_step() + block * options_.batch_per_rank;
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
  if (options_.uses_windows()) return draw_windows(epoch);
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  if (!options_.shuffle) return;
  PhiloxStream random(options_.seed, kStreamTag ^ static_cast<std::uint64_t>(epoch));
  shuffle_in_place(order_, random);
}

void Sampler::draw_windows(std::int64_t epoch) {
  PhiloxStream random(options_.seed, kWindowTag ^ static_cast<std::uint64_t>(epoch));
  const std::int64_t samples = options_.chunk_samples;
  std::vector<std::int64_t> chunks(
      static_cast<std::size_t>((options_.num_samples + samples - 1) / samples));
  std::iota(chunks.begin(), chunks.end(), std::int64_t{0});
  shuffle_in_place(chunks, random);
  const auto window = static_cast<std::size_t>(options_.window_chunks);
  std::size_t filled = 0;
  for (std::size_t first = 0; first < chunks.size(); first += window) {
    const std::size_t begin = filled;
    for (std::size_t i = first; i < std::min(first + window, chunks.size()); ++i) {
      const std::int64_t end = std::min(options_.num_samples, (chunks[i] + 1) * samples);
      for (std::int64_t index = chunks[i] * samples; index < end; ++index) {
        order_[filled++] = index;
      }
    }
    shuffle_in_place(std::span(order_).subspan(begin, filled - begin), random);
  }
}

ShuffleQuality Sampler::quality() const {
  LOCKSTEP_CHECK(!order_.empty(), "begin_epoch() before quality()");
  return measure_shuffle(order_, options_.chunk_samples, samples_per_step());
}

void choose_order(const Options& options, std::int64_t samples_per_chunk, SamplerOptions& sampler) {
  LOCKSTEP_CHECK(samples_per_chunk >= 1, "a read brings at least one sample");
  sampler.shuffle = options.order != "sequential";
  // A window of one-sample chunks is a uniform shuffle by another name.
  sampler.chunk_samples = options.order == "global" ? 1 : samples_per_chunk;
  sampler.window_chunks = options.window_chunks;
}

ShuffleQuality measure_shuffle(std::span<const std::int64_t> order,
                               std::int64_t chunk_samples,
                               std::int64_t samples_per_step) {
  ShuffleQuality quality;
  const auto total = static_cast<double>(order.size());
  if (order.size() < 2) return {1, 1, 1};
  double moved = 0;
  double chunks = 0;
  double steps = 0;
  std::vector<std::int64_t> seen;
  for (std::size_t begin = 0; begin < order.size();
       begin += static_cast<std::size_t>(samples_per_step)) {
    const auto part = order.subspan(
        begin, std::min(order.size() - begin, static_cast<std::size_t>(samples_per_step)));
    seen.clear();
    for (std::size_t i = 0; i < part.size(); ++i) {
      moved += std::abs(static_cast<double>(part[i]) - static_cast<double>(begin + i));
      seen.push_back(part[i] / chunk_samples);
    }
    if (std::ssize(part) < samples_per_step && steps > 0) continue;  // a short end tells little
    std::sort(seen.begin(), seen.end());
    chunks += static_cast<double>(std::unique(seen.begin(), seen.end()) - seen.begin());
    steps += 1;
  }
  // The mean distance of two independent uniform places of n is (n^2 - 1) / (3 n).
  quality.displacement = moved / total / ((total * total - 1) / (3 * total));
  quality.chunks_per_step = chunks / steps;
  // A chunk is missing from a step of s of n samples with probability C(n - c, s) / C(n, s).
  const double step = std::min(static_cast<double>(samples_per_step), total);
  double missing = 1;
  for (std::int64_t i = 0; i < chunk_samples; ++i) {
    missing *=
        std::max(0.0, total - step - static_cast<double>(i)) / (total - static_cast<double>(i));
  }
  quality.uniform_chunks_per_step =
      std::ceil(total / static_cast<double>(chunk_samples)) * (1 - missing);
  return quality;
}

}  // namespace lockstep::data
