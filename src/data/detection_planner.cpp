#include "detection_planner.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace lockstep::data {
namespace {

Region whole(ImageSize size) {
  return {0, 0, static_cast<float>(size.width), static_cast<float>(size.height)};
}

ImageSize size_of(const Region& region) {
  return {static_cast<std::int32_t>(region.y1 - region.y0),
          static_cast<std::int32_t>(region.x1 - region.x0)};
}

// What a reader leaves to the pass over the batch: to make an image larger, and to mirror it.
void share_work(DetectionImage& image) {
  const Region& region = image.plan.region;
  const ImageSize size = image.plan.size;
  image.rest = image.plan;
  if (static_cast<float>(size.height) < region.y1 - region.y0 ||
      static_cast<float>(size.width) < region.x1 - region.x0) {
    image.part = region;
    image.stored = size;
    image.rest.region = whole(size);
    return;
  }
  image.part = {
      std::floor(region.x0), std::floor(region.y0), std::ceil(region.x1), std::ceil(region.y1)};
  image.stored = size_of(image.part);
  image.rest.region = {region.x0 - image.part.x0,
                       region.y0 - image.part.y0,
                       region.x1 - image.part.x0,
                       region.y1 - image.part.y0};
}

}  // namespace

DetectionPlanner::DetectionPlanner(const Dataset& dataset,
                                   const DetectionOptions& options,
                                   bool training,
                                   std::uint64_t seed)
    : dataset_(dataset), options_(options), training_(training), seed_(seed) {}

DetectionPlan DetectionPlanner::plan_of(std::int64_t epoch, std::int64_t index) const {
  return plan_detection(options_,
                        training_,
                        seed_,
                        epoch,
                        dataset_.sample_id(index),
                        dataset_.image_size(index),
                        dataset_.boxes(index).corners);
}

// A crowd is a region with an unknown number of objects: nothing to train on, but an evaluation
// must know it (as in the DETR authors' reader of COCO, and in COCO's measure).
bool DetectionPlanner::is_target(const Boxes& boxes, const DetectionBox& box) const {
  return !training_ || boxes.crowd[static_cast<std::size_t>(box.source)] == 0;
}

void DetectionPlanner::measure_step(std::int64_t epoch, DetectionSlab& slab) const {
  DetectionBatch& view = slab.view;
  view.max_boxes = 0;
  view.num_boxes_global = 0;
  std::vector<ImageSize> sizes;
  for (const std::int64_t index : slab.step) {
    if (index < 0) continue;
    const DetectionPlan plan = plan_of(epoch, index);
    const Boxes boxes = dataset_.boxes(index);
    std::int64_t count = 0;
    for (const DetectionBox& box : plan.boxes) {
      count += is_target(boxes, box) ? 1 : 0;
      view.num_boxes_global += boxes.crowd[static_cast<std::size_t>(box.source)] == 0 ? 1 : 0;
    }
    view.max_boxes = std::max(view.max_boxes, count);
    sizes.push_back(plan.size);
  }
  view.padded = padded_size(sizes, options_.pad_multiple);
}

void DetectionPlanner::plan(std::int64_t epoch,
                            std::span<const std::int64_t> own,
                            DetectionSlab& slab) const {
  measure_step(epoch, slab);
  DetectionBatch& view = slab.view;
  const auto slots = own.size() * static_cast<std::size_t>(view.max_boxes);
  slab.images.resize(own.size());
  slab.boxes.resize(4 * slots);
  slab.classes.resize(slots);
  slab.areas.resize(slots);
  slab.crowd.resize(slots);
  slab.counts.resize(own.size());
  view.images = slab.images;
  view.boxes = slab.boxes;
  view.classes = slab.classes;
  view.areas = slab.areas;
  view.crowd = slab.crowd;
  view.counts = slab.counts;
  pad_from(slab, 0);
  slab.pixel_bytes = 0;
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (own[i] < 0) continue;
    DetectionImage& image = slab.images[i];
    image.original = dataset_.image_size(own[i]);
    image.plan = plan_of(epoch, own[i]);
    share_work(image);
    image.offset = static_cast<std::int64_t>(slab.pixel_bytes);
    slab.pixel_bytes += image.stored_bytes(dataset_.info().channels);
    fill_boxes(own[i], i, slab);
  }
}

// The area of an object in the file is that of its outline where there is one: it grows with the
// image. Of a part of the image it is the area of the box.
void DetectionPlanner::fill_boxes(std::int64_t index,
                                  std::size_t position,
                                  DetectionSlab& slab) const {
  const DetectionImage& image = slab.images[position];
  const DetectionPlan& plan = image.plan;
  const Boxes boxes = dataset_.boxes(index);
  const bool is_whole = plan.region == whole(image.original);
  const double scale = static_cast<double>(plan.size.height) * plan.size.width /
                       (static_cast<double>(image.original.height) * image.original.width);
  auto slot = position * static_cast<std::size_t>(slab.view.max_boxes);
  for (const DetectionBox& box : plan.boxes) {
    if (!is_target(boxes, box)) continue;
    const auto source = static_cast<std::size_t>(box.source);
    const std::array corners{box.x0, box.y0, box.x1, box.y1};
    std::ranges::copy(corners, slab.boxes.begin() + static_cast<std::ptrdiff_t>(4 * slot));
    slab.classes[slot] = boxes.classes[source];
    slab.areas[slot] = is_whole ? static_cast<float>(scale * boxes.areas[source]) : box.area;
    slab.crowd[slot] = boxes.crowd[source];
    ++slab.counts[position];
    ++slot;
  }
}

void DetectionPlanner::pad_from(DetectionSlab& slab, std::size_t position) {
  DetectionImage padding;
  padding.plan.size = slab.view.padded;
  padding.rest.size = slab.view.padded;
  const auto slot =
      static_cast<std::ptrdiff_t>(position) * static_cast<std::ptrdiff_t>(slab.view.max_boxes);
  const auto row = static_cast<std::ptrdiff_t>(position);
  std::fill(slab.images.begin() + row, slab.images.end(), padding);
  std::fill(slab.counts.begin() + row, slab.counts.end(), 0);
  std::fill(slab.boxes.begin() + 4 * slot, slab.boxes.end(), 0.0F);
  std::fill(slab.classes.begin() + slot, slab.classes.end(), -1);
  std::fill(slab.areas.begin() + slot, slab.areas.end(), 0.0F);
  std::fill(slab.crowd.begin() + slot, slab.crowd.end(), std::uint8_t{0});
}

}  // namespace lockstep::data
