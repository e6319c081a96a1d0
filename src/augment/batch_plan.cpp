#include "batch_plan.h"

#include "plan_erase.h"
#include "plan_mix.h"
#include "plan_ops.h"

#include <lockstep/base/error.h>

#include <algorithm>

namespace lockstep::augment {

std::span<const PixelOp> BatchPlan::ops_of(std::size_t sample) const {
  const auto count = static_cast<std::size_t>(ops_per_sample);
  return std::span(ops).subspan(sample * count, count);
}

BatchPlanner::BatchPlanner(const FeederOptions& options)
    : options_(options), normalisation_(make_normalisation(options.mean, options.std)) {}

std::int64_t BatchPlanner::ops_per_sample() const {
  return options_.training ? num_ops(options_.augment) : 0;
}

PassShape BatchPlanner::shape_of(std::int64_t height,
                                 std::int64_t width,
                                 std::int64_t channels) const {
  LOCKSTEP_CHECK(channels == std::ssize(options_.mean), "a mean and a std for every channel");
  PassShape shape;
  shape.source_height = static_cast<std::int32_t>(height);
  shape.source_width = static_cast<std::int32_t>(width);
  shape.channels = static_cast<std::int32_t>(channels);
  shape.height = options_.size.height > 0 ? options_.size.height : shape.source_height;
  shape.width = options_.size.width > 0 ? options_.size.width : shape.source_width;
  return shape;
}

SamplePlan BatchPlanner::plan_sample(const PassShape& shape,
                                     bool geometry_applied,
                                     std::int64_t epoch,
                                     std::int64_t sample_id,
                                     std::span<PixelOp> ops) const {
  const data::AugmentOptions& augment = options_.augment;
  const data::ImageSize source{shape.source_height, shape.source_width};
  const data::ImageSize target{shape.height, shape.width};
  const bool random = options_.training && sample_id >= 0;
  SamplePlan plan;
  plan.crop_width = source.width;
  plan.crop_height = source.height;
  if (!geometry_applied && (source != target || (random && augment.random_crop))) {
    const data::Region region =
        data::plan_geometry(
            augment, options_.training, options_.seed, epoch, sample_id, source, target)
            .region;
    plan.crop_x = static_cast<std::int32_t>(region.x0);
    plan.crop_y = static_cast<std::int32_t>(region.y0);
    plan.crop_width = static_cast<std::int32_t>(region.x1) - plan.crop_x;
    plan.crop_height = static_cast<std::int32_t>(region.y1) - plan.crop_y;
  }
  std::ranges::fill(ops, PixelOp{});
  if (!random) return plan;
  const data::TransformPlan move = data::plan_transform(augment, options_.seed, epoch, sample_id);
  plan.dx = move.dx;
  plan.dy = move.dy;
  plan.flip = move.flip ? 1 : 0;
  if (!ops.empty()) plan_ops(augment, options_.seed, epoch, sample_id, target, ops);
  plan_erase(augment, options_.seed, epoch, sample_id, target, plan);
  return plan;
}

void BatchPlanner::plan(const data::Batch& batch, BatchPlan& plan) const {
  const auto count = static_cast<std::size_t>(batch.batch);
  plan.shape = shape_of(batch.height, batch.width, batch.channels);
  plan.ops_per_sample = ops_per_sample();
  plan.samples.resize(count);
  plan.ops.resize(count * static_cast<std::size_t>(plan.ops_per_sample));
  plan.mixes = mixes();
  for (std::size_t i = 0; i < count; ++i) {
    const auto num = static_cast<std::size_t>(plan.ops_per_sample);
    plan.samples[i] = plan_sample(plan.shape,
                                  batch.geometry_applied,
                                  batch.epoch,
                                  batch.sample_ids[i],
                                  std::span(plan.ops).subspan(i * num, num));
    plan.samples[i].partner = static_cast<std::int32_t>(i);
  }
  if (!plan.mixes) return;
  plan_mix(options_.augment,
           options_.seed,
           batch.epoch,
           batch.sample_ids,
           {plan.shape.height, plan.shape.width},
           plan.samples);
}

}  // namespace lockstep::augment
