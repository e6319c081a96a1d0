// The plans of a detection micro-batch, and what all ranks of its step have in common. Every rank
// makes it alone, from tables that all have in memory. Knows nothing of bytes, threads or files.
#pragma once

#include <lockstep/data/dataset.h>
#include <lockstep/data/detection_batch.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lockstep::data {

// A DetectionBatch and the memory behind its views.
struct DetectionSlab {
  std::vector<std::int64_t> step;  // indices of the whole global step, -1 where padded
  std::vector<DetectionImage> images;
  std::vector<float> boxes;
  std::vector<std::int64_t> classes;
  std::vector<float> areas;
  std::vector<std::uint8_t> crowd;
  std::vector<std::int64_t> counts;
  std::size_t pixel_bytes = 0;  // of all images
  DetectionBatch view;
};

// Thread: plan() and pad_from() of different slabs from any thread.
class DetectionPlanner {
 public:
  DetectionPlanner(const Dataset& dataset,
                   const DetectionOptions& options,
                   bool training,
                   std::uint64_t seed);

  // Fills all but `step`, which is read, for the samples `own` of the step (-1 where padded).
  void plan(std::int64_t epoch, std::span<const std::int64_t> own, DetectionSlab& slab) const;
  // Images from `position` on become padding; what the step has in common stays.
  static void pad_from(DetectionSlab& slab, std::size_t position);

 private:
  DetectionPlan plan_of(std::int64_t epoch, std::int64_t index) const;
  bool is_target(const Boxes& boxes, const DetectionBox& box) const;
  void measure_step(std::int64_t epoch, DetectionSlab& slab) const;
  void fill_boxes(std::int64_t index, std::size_t position, DetectionSlab& slab) const;

  const Dataset& dataset_;
  DetectionOptions options_;
  bool training_;
  std::uint64_t seed_;
};

}  // namespace lockstep::data
