// Fills slabs: which samples come next, and their bytes, labels and weights. Knows nothing of
// threads; begin() in order and from one thread at a time, fill() of different slabs from any.
#pragma once

#include "broken_samples.h"
#include "detection_planner.h"
#include "sample_reader.h"

#include <lockstep/data/loader.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

namespace lockstep::data {

// One micro-batch and the memory behind its views.
struct Slab {
  Batch batch;
  std::unique_ptr<gpu::PinnedBuffer> memory;  // of the pixels, or of the floats
  std::vector<std::int64_t> indices;          // (B) of the data set; -1 where padded
  std::vector<std::uint64_t> read_order;      // (B) place in the file and position in the batch
  std::vector<std::int64_t> labels;
  std::vector<std::int64_t> sample_ids;
  std::vector<float> weights;
  DetectionSlab detection;  // of detection data sets alone
  SampleReader::Scratch scratch;
  std::vector<std::byte> sample;   // pixels of one sample on their way to floats
  std::int64_t number = 0;         // of the micro-batch, counted from 0
  std::exception_ptr error;        // of fill(); the batch is then padding only
  gpu::Event* reusable = nullptr;  // when the last copy out of the slab is done
};

// Of the ring: one is with the caller while every thread fills one.
std::int64_t ring_slabs(const LoaderOptions& options);
// Chunks that a process needs at once in window order, and that so many of a host need together.
std::int64_t chunks_to_keep(const LoaderOptions& options);
std::int64_t shared_chunks_to_keep(const LoaderOptions& options, std::int64_t ranks);

class BatchFiller {
 public:
  BatchFiller(const Dataset& dataset, gpu::Backend& backend, const LoaderOptions& options);

  std::unique_ptr<Slab> make_slab(std::int64_t number) const;
  // Assigns the next micro-batch to the slab. False after the last epoch.
  bool begin(Slab& slab);
  // Reads the assigned samples. What goes wrong is kept in slab.error. Blocks: on slab.reusable.
  void fill(Slab& slab) noexcept;
  const Sampler& sampler() const { return counts_; }

 private:
  void assign_step(Slab& slab) const;
  void plan_detection(Slab& slab) const;
  void read(Slab& slab);
  void sort_by_place(Slab& slab, std::size_t real) const;
  void read_sample(Slab& slab, std::size_t position, bool verify);
  void read_or_replace(Slab& slab, std::size_t position, std::span<std::byte> out, bool verify);
  std::int64_t read_pixels(Slab& slab,
                           std::size_t position,
                           std::span<std::byte> out,
                           bool verify) const;
  void make_floats(Slab& slab, std::size_t position, std::span<const std::byte> bytes) const;
  void describe(Slab& slab, std::size_t real) const;
  void pad_from(Slab& slab, std::size_t position) const;
  bool makes_floats() const {
    return planner_ ? options_.detection_to_floats != nullptr : options_.to_floats != nullptr;
  }
  std::span<std::byte> pixels_at(Slab& slab, std::size_t position) const;
  std::span<float> floats_at(Slab& slab, std::size_t position) const;
  void draw_epoch();
  void advance();

  const Dataset& dataset_;
  gpu::Backend& backend_;
  LoaderOptions options_;
  SampleReader reader_;
  std::optional<DetectionPlanner> planner_;  // of detection data sets
  BrokenSamples broken_;
  Sampler counts_;  // never drawn: read by the caller's thread
  Sampler orders_;  // drawn in begin()
  std::int64_t drawn_epoch_ = -1;
  std::int64_t epoch_;
  std::int64_t verified_epoch_ = 0;  // the first one that is read here
  std::int64_t step_;
  std::int64_t micro_ = 0;
  std::int64_t num_begun_ = 0;
};

}  // namespace lockstep::data
