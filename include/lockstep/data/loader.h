// The prefetch ring: reader threads fill slabs of compact bytes ahead of the training thread.
#pragma once

#include <lockstep/data/dataset.h>
#include <lockstep/data/detection_batch.h>
#include <lockstep/data/sampler.h>
#include <lockstep/data/transform_plan.h>
#include <lockstep/gpu/device.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace lockstep::data {

// One micro-batch of one rank, in a slab of the ring (page-locked with a CUDA backend).
struct Batch {
  std::int64_t epoch = 0;
  std::int64_t step_in_epoch = 0;
  std::int64_t micro = 0;
  std::int64_t batch = 0;  // B, padding included
  std::int64_t height = 0, width = 0, channels = 0;
  // (B, H, W, C); padded samples are zero. With `detection`: images of their own sizes, one after
  // the other, and (H, W) is the padded size.
  std::span<const std::uint8_t> pixels;
  std::span<const float> floats;              // (B, C, H, W) instead of pixels, with to_floats
  bool geometry_applied = false;              // cropped and resized by plan_geometry, not mirrored
  std::span<const std::int64_t> labels;       // (B); 0 where padded
  std::span<const std::int64_t> sample_ids;   // (B); -1 where padded
  std::span<const float> weights;             // (B); 1, or 0 where padded
  std::int64_t num_real = 0;                  // of this micro-batch
  std::int64_t num_real_global = 0;           // of the whole global step
  std::int64_t num_replaced = 0;              // broken samples, with on_broken = skip
  std::int64_t bytes_read = 0;                // of the file
  const DetectionBatch* detection = nullptr;  // only of detection data sets
  std::int64_t slab = -1;
};

// Makes what the model takes of one sample, (H, W, C) u8 -> (C, H, W) f32. Padding is zero.
// Thread: called from all reader threads at once.
using ToFloats = std::function<void(std::span<const std::uint8_t> pixels,
                                    std::int64_t epoch,
                                    std::int64_t sample_id,
                                    std::span<float> out)>;

// The same of an image of a detection data set: `pixels` are those it has in the batch, `out` is
// (C, padded H, padded W).
using DetectionToFloats = std::function<void(std::span<const std::uint8_t> pixels,
                                             const DetectionImage& image,
                                             ImageSize padded,
                                             std::span<float> out)>;

struct LoaderOptions {
  SamplerOptions sampler;
  std::int64_t rank = 0;
  std::string reader = "engine";  // naive: reads inside next(), nothing ahead, no threads
  std::int64_t threads = 1;
  std::int64_t prefetch = 4;  // slabs in the ring, at least 2; at least threads + 1 are made
  std::string verify = "first_epoch";
  std::int64_t first_epoch = 0;          // where this loader begins: the epoch that is verified
  std::int64_t first_step_in_epoch = 0;  // and the step, when a run goes on inside an epoch
  std::int64_t num_epochs = -1;          // -1: for ever
  // Size of the images in a batch. Only for files whose images are compressed or differ in size:
  // they are decoded, cropped and resized to it on the reader threads, by plan_geometry.
  ImageSize target;
  AugmentOptions augment;      // of the geometry, with the sampler's seed
  DetectionOptions detection;  // instead of target and augment, for detection data sets
  bool training = false;       // false: resize and centre crop
  // error, or skip: a broken sample (Error(kBadData)) is replaced by the next readable one of the
  // file, so that counts stay what the sampler says on every rank; every read is then verified. Not
  // for detection data sets: another rank would not know that boxes and sizes are others.
  std::string on_broken = "error";
  // For decoded samples; may be shared by the loaders of several processes that read the same file.
  // Zeroed before the first of them was made; must outlive the loader. Empty: no cache.
  std::span<std::byte> cache;
  // For the inflated chunks of window order, one copy for all processes of a host that read the
  // same file; on the terms of `cache`, and must outlive the data set. A process that is slow or
  // gone holds nobody up for more than some seconds. Empty: each process keeps its own.
  std::span<std::byte> chunks;
  ToFloats to_floats;                     // may be empty: batches hold pixels
  ImageSize float_size;                   // of its results; zero: that of the pixels
  DetectionToFloats detection_to_floats;  // instead, for detection data sets
};

// Thread: next() and release() from one thread. Nothing is allocated after the first epoch, but
// that slabs of detection data sets grow to the largest batch they have met.
class Loader {
 public:
  virtual ~Loader() = default;
  // The next micro-batch in order (epoch, step, micro). Blocks until it is there.
  // Requires: at least one slab is not held by the caller.
  // Throws: the reader thread's Error (kBadData, kIo), once, at the batch it belongs to; the next
  // call then delivers that batch as padding only, so that ranks can stay in step.
  // nullptr after the last epoch.
  virtual const Batch* next() = 0;
  // Hands the slab back to the ring. `reusable` may be null; on CUDA it is the event after which
  // the copy to the device has left the slab, and it must live until the slab was filled again or
  // the loader is gone.
  virtual void release(const Batch* batch, gpu::Event* reusable) = 0;
  // For its counts only: the loader draws the orders in a sampler of its own.
  virtual const Sampler& sampler() const = 0;
};

// Bytes for LoaderOptions::cache: what data.cache_mib allows, or less where everything fits.
std::size_t cache_bytes(const Dataset& dataset, const Options& options);

// Bytes for LoaderOptions::chunks, so that every chunk is inflated once an epoch by the
// `processes` of a host that share them; 0 where samples do not share chunks, and without windows.
// That is so as long as no process is further ahead than the slabs of its ring: training is not.
std::size_t shared_chunk_bytes(const Dataset& dataset,
                               const LoaderOptions& options,
                               std::int64_t processes);

// `dataset` and `backend` must outlive the loader. Window order tells the data set how many chunks
// to keep. Throws: Error(kConfig) for images of differing sizes without a target, and for
// on_broken = skip with a detection data set.
std::unique_ptr<Loader> make_loader(const Dataset& dataset,
                                    gpu::Backend& backend,
                                    const LoaderOptions& options);

}  // namespace lockstep::data
