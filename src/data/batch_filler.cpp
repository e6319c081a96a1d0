#include "batch_filler.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/base/log.h>

#include <algorithm>
#include <cstring>

namespace lockstep::data {
namespace {

// Sorted as one number: place in the file above, position in the batch below.
constexpr int kPositionBits = 20;
constexpr std::uint64_t kPositionMask = (std::uint64_t{1} << kPositionBits) - 1;

// Windows that `slabs` of each of so many ranks may be in at once, as chunks.
std::int64_t chunks_under(const SamplerOptions& sampler, std::int64_t slabs, std::int64_t ranks) {
  const std::int64_t window = sampler.window_chunks * sampler.chunk_samples;
  const auto windows_of = [window](std::int64_t samples) {
    return 1 + (samples + window - 1) / window;
  };
  const std::int64_t batch = sampler.batch_per_rank;
  // The slabs of a rank lie a micro-batch of all ranks apart, each in one piece; with neighbouring
  // blocks those of a step lie side by side and the next step's a whole step on.
  const std::int64_t steps =
      sampler.neighbouring_blocks ? (slabs + sampler.accumulate - 2) / sampler.accumulate + 1 : 0;
  const std::int64_t span = std::max(slabs, steps * sampler.accumulate) * sampler.num_ranks * batch;
  const std::int64_t windows = std::min(windows_of(span), ranks * slabs * windows_of(batch));
  return windows * sampler.window_chunks;
}

}  // namespace

std::int64_t ring_slabs(const LoaderOptions& options) {
  return std::max(options.prefetch, options.threads + 1);
}

// A thread that is held up at the oldest slab still reads from its window when the others have
// filled all that follow.
std::int64_t chunks_to_keep(const LoaderOptions& options) {
  return chunks_under(options.sampler, ring_slabs(options), 1);
}

// Ranks may be a step of all its micro-batches apart, and the last window of an epoch is a short
// one.
std::int64_t shared_chunks_to_keep(const LoaderOptions& options, std::int64_t ranks) {
  return chunks_under(options.sampler, ring_slabs(options) + options.sampler.accumulate, ranks) +
         options.sampler.window_chunks;
}

BatchFiller::BatchFiller(const Dataset& dataset,
                         gpu::Backend& backend,
                         const LoaderOptions& options)
    : dataset_(dataset),
      backend_(backend),
      options_(options),
      reader_(dataset, options),
      counts_(options.sampler),
      orders_(options.sampler),
      epoch_(options.first_epoch),
      step_(options.first_step_in_epoch) {
  LOCKSTEP_CHECK(options.sampler.num_samples == dataset.info().num_samples,
                 "the sampler is made for another data set");
  LOCKSTEP_CHECK(options.rank >= 0 && options.rank < options.sampler.num_ranks, "no such rank");
  LOCKSTEP_CHECK(step_ >= 0 && step_ <= counts_.steps_per_epoch(), "no such step");
  if (options.sampler.batch_per_rank > static_cast<std::int64_t>(kPositionMask)) {
    throw config_error(format("train.batch_per_rank = {} is too large: at most {}",
                              options.sampler.batch_per_rank,
                              kPositionMask));
  }
  if (dataset.info().task == "detection") {
    if (options.on_broken == "skip") {
      throw config_error(
          format("data.on_broken = skip, but {} is a detection data set, whose replaced samples "
                 "other ranks would not know of: set data.on_broken = error",
                 dataset.info().path.string()));
    }
    planner_.emplace(dataset, options.detection, options.training, options.sampler.seed);
  }
  if (options.sampler.uses_windows() && options.chunks.empty()) {
    dataset.keep_chunks(chunks_to_keep(options));
  }
  if (!options.chunks.empty()) dataset.share_chunks(options.chunks);
  if (step_ == counts_.steps_per_epoch()) {
    step_ = 0;
    ++epoch_;
  }
  verified_epoch_ = epoch_;
}

std::unique_ptr<Slab> BatchFiller::make_slab(std::int64_t number) const {
  auto slab = std::make_unique<Slab>();
  const auto batch = static_cast<std::size_t>(options_.sampler.batch_per_rank);
  slab->indices.resize(batch);
  slab->read_order.resize(batch);
  slab->labels.resize(batch);
  slab->sample_ids.resize(batch);
  slab->weights.resize(batch);
  Batch& view = slab->batch;
  view.batch = options_.sampler.batch_per_rank;
  view.channels = dataset_.info().channels;
  view.labels = slab->labels;
  view.sample_ids = slab->sample_ids;
  view.weights = slab->weights;
  view.slab = number;
  if (planner_) {
    view.detection = &slab->detection.view;
    return slab;
  }
  const bool resized = options_.to_floats && options_.float_size.height > 0;
  const ImageSize size = resized ? options_.float_size : reader_.size();
  view.height = size.height;
  view.width = size.width;
  view.geometry_applied = reader_.applies_geometry();
  const std::size_t elements =
      batch * static_cast<std::size_t>(view.height * view.width * view.channels);
  if (options_.to_floats) {
    slab->memory = backend_.make_pinned(elements * sizeof(float));
    slab->sample.resize(reader_.sample_bytes());
    view.floats = {reinterpret_cast<const float*>(slab->memory->data()), elements};
  } else {
    slab->memory = backend_.make_pinned(elements);
    view.pixels = {reinterpret_cast<const std::uint8_t*>(slab->memory->data()), elements};
  }
  return slab;
}

bool BatchFiller::begin(Slab& slab) {
  if (options_.num_epochs >= 0 && epoch_ >= options_.first_epoch + options_.num_epochs)
    return false;
  if (drawn_epoch_ != epoch_) draw_epoch();
  orders_.fill_micro_batch(step_, micro_, options_.rank, slab.indices);
  if (planner_) assign_step(slab);
  slab.batch.epoch = epoch_;
  slab.batch.step_in_epoch = step_;
  slab.batch.micro = micro_;
  slab.batch.num_real_global = orders_.num_real(step_);
  slab.number = num_begun_++;
  advance();
  return true;
}

// The whole global step, from which each thread plans by itself.
void BatchFiller::assign_step(Slab& slab) const {
  const SamplerOptions& sampler = options_.sampler;
  const auto batch = static_cast<std::size_t>(sampler.batch_per_rank);
  slab.detection.step.resize(static_cast<std::size_t>(counts_.samples_per_step()));
  std::span<std::int64_t> left = slab.detection.step;
  for (std::int64_t micro = 0; micro < sampler.accumulate; ++micro) {
    for (std::int64_t rank = 0; rank < sampler.num_ranks; ++rank, left = left.subspan(batch)) {
      orders_.fill_micro_batch(step_, micro, rank, left.first(batch));
    }
  }
}

// Plans, and finds room for what they say.
void BatchFiller::plan_detection(Slab& slab) const {
  Batch& view = slab.batch;
  view.pixels = {};
  view.floats = {};
  planner_->plan(view.epoch, slab.indices, slab.detection);
  view.height = slab.detection.view.padded.height;
  view.width = slab.detection.view.padded.width;
  const auto elements =
      static_cast<std::size_t>(view.batch * view.height * view.width * view.channels);
  const std::size_t needed = makes_floats() ? elements * sizeof(float) : slab.detection.pixel_bytes;
  if (!slab.memory || slab.memory->size_bytes() < needed) {
    slab.memory.reset();
    slab.memory = backend_.make_pinned(needed + needed / 4 + 1);  // so that it grows seldom
  }
  if (makes_floats()) {
    view.floats = {reinterpret_cast<const float*>(slab.memory->data()), elements};
  } else {
    view.pixels = {reinterpret_cast<const std::uint8_t*>(slab.memory->data()), needed};
  }
}

void BatchFiller::draw_epoch() {
  const bool first = drawn_epoch_ < 0;
  orders_.begin_epoch(epoch_);
  drawn_epoch_ = epoch_;
  if (!first || !options_.sampler.uses_windows() || options_.rank != 0) return;
  const ShuffleQuality quality = orders_.quality();
  log::info(
      "{}: window order, {} samples a chunk, {} chunks a window: samples move {:.2f} as far as in "
      "a "
      "uniform shuffle, a step mixes {:.1f} chunks ({:.1f} in a uniform shuffle)",
      dataset_.info().path.string(),
      options_.sampler.chunk_samples,
      options_.sampler.window_chunks,
      quality.displacement,
      quality.chunks_per_step,
      quality.uniform_chunks_per_step);
}

void BatchFiller::advance() {
  if (++micro_ < options_.sampler.accumulate) return;
  micro_ = 0;
  if (++step_ < counts_.steps_per_epoch()) return;
  step_ = 0;
  ++epoch_;
}

void BatchFiller::fill(Slab& slab) noexcept {
  try {
    slab.error = nullptr;
    if (slab.reusable != nullptr) slab.reusable->synchronize();
    slab.reusable = nullptr;
    read(slab);
  } catch (...) {
    slab.error = std::current_exception();
    pad_from(slab, 0);
    slab.batch.bytes_read = 0;
  }
}

void BatchFiller::read(Slab& slab) {
  const bool verify = options_.verify == "always" || options_.on_broken == "skip" ||
                      (options_.verify == "first_epoch" && slab.batch.epoch == verified_epoch_);
  // Padding is at the end of a micro-batch.
  const auto real = static_cast<std::size_t>(
      std::find(slab.indices.begin(), slab.indices.end(), -1) - slab.indices.begin());
  slab.batch.bytes_read = 0;
  slab.batch.num_replaced = 0;
  if (planner_) plan_detection(slab);
  sort_by_place(slab, real);
  for (std::size_t i = 0; i < real; ++i) {
    read_sample(slab, static_cast<std::size_t>(slab.read_order[i] & kPositionMask), verify);
  }
  describe(slab, real);
  pad_from(slab, real);
}

// Samples lie in the file in the order of their index. Where samples share chunks, threads that
// fill neighbouring batches want the same ones: each begins elsewhere, so that they inflate
// different chunks instead of waiting for each other.
void BatchFiller::sort_by_place(Slab& slab, std::size_t real) const {
  const std::span order = std::span(slab.read_order).first(real);
  for (std::size_t i = 0; i < real; ++i) {
    order[i] = static_cast<std::uint64_t>(slab.indices[i]) << kPositionBits | i;
  }
  std::sort(order.begin(), order.end());
  if (!options_.sampler.uses_windows() || options_.threads < 2) return;
  const auto turn = static_cast<std::size_t>(slab.number % options_.threads);
  const std::size_t begin = turn * real / static_cast<std::size_t>(options_.threads);
  std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(begin), order.end());
}

void BatchFiller::read_sample(Slab& slab, std::size_t position, bool verify) {
  const std::span<std::byte> out = pixels_at(slab, position);
  read_or_replace(slab, position, out, verify);
  if (makes_floats()) make_floats(slab, position, out);
}

void BatchFiller::make_floats(Slab& slab,
                              std::size_t position,
                              std::span<const std::byte> bytes) const {
  const std::span pixels(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  const std::span<float> out = floats_at(slab, position);
  if (planner_) {
    const DetectionBatch& detection = slab.detection.view;
    options_.detection_to_floats(pixels, detection.images[position], detection.padded, out);
  } else {
    const std::int64_t id = dataset_.sample_id(slab.indices[position]);
    options_.to_floats(pixels, slab.batch.epoch, id, out);
  }
}

std::int64_t BatchFiller::read_pixels(Slab& slab,
                                      std::size_t position,
                                      std::span<std::byte> out,
                                      bool verify) const {
  const std::int64_t index = slab.indices[position];
  if (!planner_) return reader_.read(index, slab.batch.epoch, verify, out, slab.scratch);
  const DetectionImage& image = slab.detection.images[position];
  return reader_.read_part(index, image.part, image.stored, verify, out, slab.scratch);
}

// All at once: labels lie at random places, and many of them are fetched at the same time.
void BatchFiller::describe(Slab& slab, std::size_t real) const {
  for (std::size_t i = 0; i < real; ++i) slab.labels[i] = dataset_.label(slab.indices[i]);
  for (std::size_t i = 0; i < real; ++i) slab.sample_ids[i] = dataset_.sample_id(slab.indices[i]);
  std::fill_n(slab.weights.begin(), real, 1.0F);
}

// The replacement is a function of the file alone: the next index that can be read.
void BatchFiller::read_or_replace(Slab& slab,
                                  std::size_t position,
                                  std::span<std::byte> out,
                                  bool verify) {
  const std::int64_t count = options_.sampler.num_samples;
  const bool skip = options_.on_broken == "skip";
  std::int64_t& index = slab.indices[position];
  for (std::int64_t tried = 0; tried < count; ++tried, index = (index + 1) % count) {
    if (skip && broken_.contains(index)) continue;
    try {
      slab.batch.bytes_read += read_pixels(slab, position, out, verify);
      slab.batch.num_replaced += tried > 0 ? 1 : 0;
      return;
    } catch (const Error& error) {
      if (!skip || error.code() != ExitCode::kBadData) throw;
      broken_.add(index, error);
    }
  }
  throw data_error(
      format("{}: none of the {} samples can be read", dataset_.info().path.string(), count));
}

void BatchFiller::pad_from(Slab& slab, std::size_t position) const {
  if (planner_) {
    DetectionPlanner::pad_from(slab.detection, position);
    for (std::size_t i = position; i < slab.indices.size() && !slab.batch.floats.empty(); ++i) {
      std::ranges::fill(floats_at(slab, i), 0.0F);
    }
  } else {
    const std::size_t bytes = slab.memory->size_bytes() / slab.indices.size();
    std::memset(
        slab.memory->data() + position * bytes, 0, slab.memory->size_bytes() - position * bytes);
  }
  const auto begin = static_cast<std::ptrdiff_t>(position);
  std::fill(slab.labels.begin() + begin, slab.labels.end(), 0);
  std::fill(slab.sample_ids.begin() + begin, slab.sample_ids.end(), -1);
  std::fill(slab.weights.begin() + begin, slab.weights.end(), 0.0F);
  slab.batch.num_real = static_cast<std::int64_t>(position);
}

// Where the bytes of a sample go; on their way to floats they pass through memory of the slab.
std::span<std::byte> BatchFiller::pixels_at(Slab& slab, std::size_t position) const {
  if (!planner_) {
    const std::size_t bytes = reader_.sample_bytes();
    if (makes_floats()) return slab.sample;
    return {slab.memory->data() + position * bytes, bytes};
  }
  const DetectionImage& image = slab.detection.images[position];
  const std::size_t bytes = image.stored_bytes(slab.batch.channels);
  if (!makes_floats()) return {slab.memory->data() + image.offset, bytes};
  if (slab.sample.size() < bytes) slab.sample.resize(bytes);
  return std::span(slab.sample).first(bytes);
}

std::span<float> BatchFiller::floats_at(Slab& slab, std::size_t position) const {
  const std::size_t elements = slab.batch.floats.size() / slab.indices.size();
  return {reinterpret_cast<float*>(slab.memory->data()) + position * elements, elements};
}

}  // namespace lockstep::data
