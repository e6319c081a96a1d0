#include "batch_filler.h"

#include <lockstep/base/error.h>

#include <algorithm>
#include <cstring>
#include <numeric>

namespace lockstep::data {

BatchFiller::BatchFiller(const Dataset& dataset,
                         gpu::Backend& backend,
                         const LoaderOptions& options)
    : dataset_(dataset),
      backend_(backend),
      options_(options),
      counts_(options.sampler),
      orders_(options.sampler),
      epoch_(options.first_epoch),
      step_(options.first_step_in_epoch) {
  LOCKSTEP_CHECK(options.sampler.num_samples == dataset.info().num_samples,
                 "the sampler is made for another data set");
  LOCKSTEP_CHECK(options.rank >= 0 && options.rank < options.sampler.num_ranks, "no such rank");
  LOCKSTEP_CHECK(step_ >= 0 && step_ <= counts_.steps_per_epoch(), "no such step");
  if (step_ == counts_.steps_per_epoch()) {
    step_ = 0;
    ++epoch_;
  }
}

std::unique_ptr<Slab> BatchFiller::make_slab(std::int64_t number) const {
  auto slab = std::make_unique<Slab>();
  const auto batch = static_cast<std::size_t>(options_.sampler.batch_per_rank);
  const std::size_t bytes = batch * static_cast<std::size_t>(dataset_.sample_bytes());
  slab->pixels = backend_.make_pinned(bytes);
  slab->indices.resize(batch);
  slab->read_order.resize(batch);
  slab->labels.resize(batch);
  slab->sample_ids.resize(batch);
  slab->weights.resize(batch);
  const DatasetInfo& info = dataset_.info();
  Batch& view = slab->batch;
  view.batch = options_.sampler.batch_per_rank;
  view.height = info.height;
  view.width = info.width;
  view.channels = info.channels;
  view.pixels = {reinterpret_cast<const std::uint8_t*>(slab->pixels->data()), bytes};
  view.labels = slab->labels;
  view.sample_ids = slab->sample_ids;
  view.weights = slab->weights;
  view.slab = number;
  return slab;
}

bool BatchFiller::begin(Slab& slab) {
  if (options_.num_epochs >= 0 && epoch_ >= options_.first_epoch + options_.num_epochs)
    return false;
  if (drawn_epoch_ != epoch_) orders_.begin_epoch(epoch_);
  drawn_epoch_ = epoch_;
  orders_.fill_micro_batch(step_, micro_, options_.rank, slab.indices);
  slab.batch.epoch = epoch_;
  slab.batch.step_in_epoch = step_;
  slab.batch.micro = micro_;
  slab.batch.num_real_global = orders_.num_real(step_);
  advance();
  return true;
}

void BatchFiller::advance() {
  if (++micro_ < options_.sampler.accumulate) return;
  micro_ = 0;
  if (++step_ < counts_.steps_per_epoch()) return;
  step_ = 0;
  ++epoch_;
}

void BatchFiller::fill(Slab& slab) const noexcept {
  try {
    slab.error = nullptr;
    if (slab.reusable != nullptr) slab.reusable->synchronize();
    slab.reusable = nullptr;
    read(slab);
  } catch (...) {
    slab.error = std::current_exception();
    pad_from(slab, 0);
  }
}

void BatchFiller::read(Slab& slab) const {
  const bool verify = options_.verify == "always" || (options_.verify == "first_epoch" &&
                                                      slab.batch.epoch == options_.first_epoch);
  // Padding is at the end of a micro-batch. Samples lie in the file in the order of their index.
  const auto real = static_cast<std::size_t>(
      std::find(slab.indices.begin(), slab.indices.end(), -1) - slab.indices.begin());
  const std::span order = std::span(slab.read_order).first(real);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&slab](std::int32_t a, std::int32_t b) {
    return slab.indices[static_cast<std::size_t>(a)] < slab.indices[static_cast<std::size_t>(b)];
  });
  const auto bytes = static_cast<std::size_t>(dataset_.sample_bytes());
  for (const std::int32_t entry : order) {
    const auto position = static_cast<std::size_t>(entry);
    const std::int64_t index = slab.indices[position];
    dataset_.read_pixels(index, {slab.pixels->data() + position * bytes, bytes}, verify);
    slab.labels[position] = dataset_.label(index);
    slab.sample_ids[position] = dataset_.sample_id(index);
    slab.weights[position] = 1.0F;
  }
  pad_from(slab, real);
}

void BatchFiller::pad_from(Slab& slab, std::size_t position) const {
  const auto bytes = static_cast<std::size_t>(dataset_.sample_bytes());
  std::memset(slab.pixels->data() + position * bytes, 0, (slab.indices.size() - position) * bytes);
  const auto begin = static_cast<std::ptrdiff_t>(position);
  std::fill(slab.labels.begin() + begin, slab.labels.end(), 0);
  std::fill(slab.sample_ids.begin() + begin, slab.sample_ids.end(), -1);
  std::fill(slab.weights.begin() + begin, slab.weights.end(), 0.0F);
  slab.batch.num_real = static_cast<std::int64_t>(position);
  slab.batch.bytes_read = static_cast<std::int64_t>(position * bytes);
}

}  // namespace lockstep::data
