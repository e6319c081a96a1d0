#include "input_side.h"

#include <lockstep/augment/detection.h>
#include <lockstep/augment/to_floats.h>
#include <lockstep/base/clock.h>
#include <lockstep/base/error.h>
#include <lockstep/base/file.h>
#include <lockstep/base/format.h>
#include <lockstep/base/hash.h>

#include <fcntl.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <thread>

namespace lockstep::apps {
namespace {

double process_cpu_s() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

data::Options data_options(const config::Settings& settings, const InputOptions& options) {
  data::Options data = settings.data;
  data.reader = options.reader == "naive" ? "naive" : "engine";
  return data;
}

data::SamplerOptions sampler_options(const comm::World& world,
                                     const config::Settings& settings,
                                     const InputOptions& options,
                                     const data::Dataset& dataset) {
  data::SamplerOptions sampler;
  sampler.num_samples = dataset.info().num_samples;
  sampler.batch_per_rank = options.batch;
  sampler.num_ranks = world.size();
  sampler.seed = static_cast<std::uint64_t>(settings.run.seed);
  data::choose_order(settings.data, dataset.samples_per_chunk(), sampler);
  return sampler;
}

data::LoaderOptions loader_options(const comm::World& world,
                                   const config::Settings& settings,
                                   const InputOptions& options,
                                   const data::SamplerOptions& sampler) {
  data::LoaderOptions loading;
  loading.sampler = sampler;
  loading.rank = world.rank();
  loading.reader = options.reader;
  loading.threads = settings.data.threads;
  loading.prefetch = settings.data.prefetch;
  loading.verify = options.verify;
  loading.on_broken = settings.data.on_broken;
  loading.target = {static_cast<std::int32_t>(settings.model.image_size),
                    static_cast<std::int32_t>(settings.model.image_size)};
  loading.augment = settings.augment;
  loading.detection = settings.detection;
  loading.training = options.training;
  return loading;
}

// What a batch holds of one sample.
std::span<const std::uint8_t> pixels_of(const data::Batch& batch, std::size_t sample) {
  if (batch.detection == nullptr) {
    const std::size_t size = batch.pixels.size() / batch.sample_ids.size();
    return batch.pixels.subspan(sample * size, size);
  }
  const data::DetectionImage& image = batch.detection->images[sample];
  return batch.pixels.subspan(static_cast<std::size_t>(image.offset),
                              image.stored_bytes(batch.channels));
}

// Of its label, or of its boxes and their classes.
std::uint32_t crc_of_targets(const data::Batch& batch, std::size_t sample, std::uint32_t crc) {
  if (batch.detection == nullptr) {
    return crc32c(std::as_bytes(batch.labels.subspan(sample, 1)), crc);
  }
  const data::DetectionBatch& detection = *batch.detection;
  const auto first = sample * static_cast<std::size_t>(detection.max_boxes);
  const auto count = static_cast<std::size_t>(detection.counts[sample]);
  crc = crc32c(std::as_bytes(detection.boxes.subspan(4 * first, 4 * count)), crc);
  return crc32c(std::as_bytes(detection.classes.subspan(first, count)), crc);
}

}  // namespace

InputSide::InputSide(const comm::World& world,
                     const config::Settings& settings,
                     const InputOptions& options,
                     const train::SharedInput& shared)
    : dataset_(data::open_dataset(settings.data.train, data_options(settings, options))),
      sampler_(sampler_options(world, settings, options, *dataset_)),
      rank_(world.rank()) {
  if (options.reader == "reads") {
    indices_.resize(static_cast<std::size_t>(options.batch));
    buffer_.resize(indices_.size() * static_cast<std::size_t>(dataset_->sample_bytes()));
    return;
  }
  loading_ = loader_options(world, settings, options, sampler_.options());
  if (options.reader != "naive") shared.lend_to(loading_);
  if (options.output == "f32") make_floats(settings);
  loader_ = data::make_loader(*dataset_, gpu::host_backend(), loading_);
}

// The engine makes them on its reader threads, the plain way on this one.
void InputSide::make_floats(const config::Settings& settings) {
  const data::DatasetInfo& info = dataset_->info();
  gpu::Backend& host = gpu::host_backend();
  const bool naive = loading_.reader == "naive";
  if (info.task == "detection") {
    if (naive) {
      detection_feeder_ =
          augment::make_detection_feeder(host, at::kCPU, info.image_mean, info.image_std);
    } else {
      loading_.detection_to_floats =
          augment::make_detection_to_floats(info.image_mean, info.image_std);
    }
    return;
  }
  augment::FeederOptions feeding;
  feeding.mean = info.image_mean;
  feeding.std = info.image_std;
  feeding.augment = settings.augment;
  feeding.seed = loading_.sampler.seed;
  if (naive) {
    feeder_ = augment::make_feeder(host, at::kCPU, feeding);
  } else {
    const data::ImageSize size = info.uniform() ? dataset_->image_size(0) : loading_.target;
    loading_.to_floats = augment::make_to_floats(feeding, size, info.channels, !info.uniform());
  }
}

std::int64_t InputSide::num_ahead() const {
  if (!loader_ || loading_.reader == "naive") return 0;
  return std::max(loading_.prefetch, loading_.threads + 1);
}

void InputSide::drop_from_page_cache() const {
  std::vector<std::filesystem::path> files = dataset_->info().shards;
  if (files.empty()) files.push_back(dataset_->info().path);
  for (const std::filesystem::path& path : files) {
    const FileHandle file = open_for_reading(path);
    posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
  }
}

void InputSide::restart_cold() {
  loader_.reset();
  drop_from_page_cache();
  epoch_ = ++loading_.first_epoch;
  step_ = sampler_.steps_per_epoch();
  if (!indices_.empty()) return;
  loader_ = data::make_loader(*dataset_, gpu::host_backend(), loading_);
}

const data::Batch& InputSide::next() {
  const data::Batch* batch = loader_->next();
  LOCKSTEP_CHECK(batch != nullptr, "the input ended");
  return *batch;
}

std::int64_t InputSide::take_one() {
  if (!loader_) return read_one();
  const data::Batch& batch = next();
  const std::int64_t images = batch.num_real;
  if (feeder_) feeder_->feed(batch);
  if (detection_feeder_) detection_feeder_->feed(batch);
  loader_->release(&batch, nullptr);  // feeders of the host are done with it
  return images;
}

// The floor: what the loader reads in the order in which it reads it, by one thread, kept nowhere.
std::int64_t InputSide::read_one() {
  if (epoch_ < 0 || step_ == sampler_.steps_per_epoch()) {
    sampler_.begin_epoch(++epoch_);
    step_ = 0;
  }
  sampler_.fill_micro_batch(step_++, 0, rank_, indices_);
  std::sort(indices_.begin(), indices_.end());
  std::int64_t images = 0;
  for (const std::int64_t index : indices_) {
    if (index < 0) continue;
    const auto bytes = static_cast<std::size_t>(dataset_->stored_bytes(index));
    const auto place = static_cast<std::size_t>(images++) * bytes;
    if (buffer_.size() < place + bytes) buffer_.resize(place + bytes);
    dataset_->read_stored(index, std::span(buffer_).subspan(place, bytes), false);
  }
  return images;
}

InputBlock InputSide::take(std::int64_t num_batches, double compute_s) {
  InputBlock block;
  const double cpu_s = process_cpu_s();
  const Stopwatch whole;
  for (std::int64_t i = 0; i < num_batches; ++i) {
    const Stopwatch waited;
    block.images += take_one();
    block.wait_s += waited.elapsed_s();
    if (compute_s > 0) std::this_thread::sleep_for(std::chrono::duration<double>(compute_s));
  }
  block.seconds = whole.elapsed_s();
  block.cpu_s = process_cpu_s() - cpu_s;
  return block;
}

std::uint64_t InputSide::sum(std::int64_t num_batches) {
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < num_batches; ++i) {
    const data::Batch& batch = next();
    for (std::size_t sample = 0; sample < batch.sample_ids.size(); ++sample) {
      if (batch.weights[sample] == 0) continue;
      const std::uint32_t pixels = crc32c(std::as_bytes(pixels_of(batch, sample)));
      const auto id = std::as_bytes(batch.sample_ids.subspan(sample, 1));
      sum += std::uint64_t{pixels} << 32 | crc_of_targets(batch, sample, crc32c(id, pixels));
    }
    loader_->release(&batch, nullptr);
  }
  return sum;
}

InputBlock time_block(comm::World& world, InputSide& side, const BlockPlan& plan) {
  if (plan.cold) comm::agree(world, [&] { side.restart_cold(); });
  comm::barrier(world.control());
  InputBlock block;
  comm::agree(world, [&] { block = side.take(plan.batches, plan.compute_s); });
  std::array<double, 2> slowest{block.seconds, block.wait_s};
  std::array<double, 1> cpu{block.cpu_s};
  std::array<std::int64_t, 1> images{block.images};
  comm::all_reduce(world.control(), slowest, comm::ReduceOp::kMax);
  comm::all_reduce(world.control(), cpu, comm::ReduceOp::kSum);
  comm::all_reduce(world.control(), images, comm::ReduceOp::kSum);
  return {images[0], slowest[0], slowest[1], cpu[0]};
}

}  // namespace lockstep::apps
