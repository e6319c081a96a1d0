// Fills slabs: which samples come next, and their bytes, labels and weights. Knows nothing of
// threads; begin() in order and from one thread at a time, fill() of different slabs from any.
#pragma once

#include <lockstep/data/loader.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <vector>

namespace lockstep::data {

// One micro-batch and the memory behind its views.
struct Slab {
  Batch batch;
  std::unique_ptr<gpu::PinnedBuffer> pixels;
  std::vector<std::int64_t> indices;  // (B) of the data set; -1 where padded
  std::vector<std::int32_t>
      read_order;  // (B) positions in the batch, ascending by place in the file
  std::vector<std::int64_t> labels;
  std::vector<std::int64_t> sample_ids;
  std::vector<float> weights;
  std::exception_ptr error;        // of fill(); the batch is then padding only
  gpu::Event* reusable = nullptr;  // when the last copy out of the slab is done
};

class BatchFiller {
 public:
  BatchFiller(const Dataset& dataset, gpu::Backend& backend, const LoaderOptions& options);

  std::unique_ptr<Slab> make_slab(std::int64_t number) const;
  // Assigns the next micro-batch to the slab. False after the last epoch.
  bool begin(Slab& slab);
  // Reads the assigned samples. What goes wrong is kept in slab.error. Blocks: on slab.reusable.
  void fill(Slab& slab) const noexcept;
  const Sampler& sampler() const { return counts_; }

 private:
  void read(Slab& slab) const;
  void pad_from(Slab& slab, std::size_t position) const;
  void advance();

  const Dataset& dataset_;
  gpu::Backend& backend_;
  LoaderOptions options_;
  Sampler counts_;  // never drawn: read by the caller's thread
  Sampler orders_;  // drawn in begin()
  std::int64_t drawn_epoch_ = -1;
  std::int64_t epoch_;
  std::int64_t step_;
  std::int64_t micro_ = 0;
};

}  // namespace lockstep::data
