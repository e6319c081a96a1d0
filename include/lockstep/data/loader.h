// The prefetch ring: reader threads fill slabs of compact bytes ahead of the training thread.
#pragma once

#include <lockstep/data/dataset.h>
#include <lockstep/data/sampler.h>
#include <lockstep/gpu/device.h>

#include <cstdint>
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
  std::span<const std::uint8_t> pixels;      // (B, H, W, C); padded samples are zero
  std::span<const std::int64_t> labels;      // (B); 0 where padded
  std::span<const std::int64_t> sample_ids;  // (B); -1 where padded
  std::span<const float> weights;            // (B); 1, or 0 where padded
  std::int64_t num_real = 0;                 // of this micro-batch
  std::int64_t num_real_global = 0;          // of the whole global step
  std::int64_t bytes_read = 0;
  std::int64_t slab = -1;
};

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
};

// Thread: next() and release() from one thread. Nothing is allocated after the first epoch.
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

// `dataset` and `backend` must outlive the loader.
std::unique_ptr<Loader> make_loader(const Dataset& dataset,
                                    gpu::Backend& backend,
                                    const LoaderOptions& options);

}  // namespace lockstep::data
