#include "detection_tensors.h"

#include <ATen/ops/empty.h>

#include <cstring>

namespace lockstep::augment {
namespace {

// x0 y0 x1 y1 in pixels -> cx cy w h of the image's size.
void make_relative(const data::DetectionBatch& batch, std::vector<float>& out) {
  out.assign(batch.boxes.begin(), batch.boxes.end());
  const auto most = static_cast<std::size_t>(batch.max_boxes);
  for (std::size_t i = 0; i < batch.images.size(); ++i) {
    const auto width = static_cast<float>(batch.images[i].plan.size.width);
    const auto height = static_cast<float>(batch.images[i].plan.size.height);
    for (std::size_t j = 0; j < most; ++j) {
      float* const box = out.data() + 4 * (i * most + j);
      const float x0 = box[0] / width;
      const float y0 = box[1] / height;
      const float x1 = box[2] / width;
      const float y1 = box[3] / height;
      box[0] = (x0 + x1) / 2;
      box[1] = (y0 + y1) / 2;
      box[2] = x1 - x0;
      box[3] = y1 - y0;
    }
  }
}

TensorCopy copy_of(const at::Tensor& to, const void* from) { return {to, from, to.nbytes()}; }

}  // namespace

at::Tensor GrownTensor::take(at::IntArrayRef shape, bool& grew) {
  std::int64_t count = 1;
  for (const std::int64_t side : shape) count *= side;
  if (!memory.defined() || memory.numel() < count) {
    memory.reset();
    memory = at::empty({count + count / 4}, options);  // so that it grows seldom
    grew = true;
  }
  return memory.narrow(0, 0, count).view(shape);
}

DetectionTensors::DetectionTensors(const at::Device& device) {
  const auto on_device = at::TensorOptions().device(device);
  for (GrownTensor* tensor : {&images_, &boxes_, &targets_, &areas_, &weights_}) {
    tensor->options = on_device.dtype(at::kFloat);
  }
  for (GrownTensor* tensor : {&mask_, &crowd_}) tensor->options = on_device.dtype(at::kBool);
  classes_.options = on_device.dtype(at::kLong);
}

bool DetectionTensors::shape(const data::Batch& batch) {
  const data::DetectionBatch& detection = *batch.detection;
  const std::int64_t count = batch.batch;
  const std::int64_t most = detection.max_boxes;
  bool grew = false;
  out_ = {};  // views of the last batch would keep memory that is about to be replaced
  out_.images = images_.take({count, batch.channels, batch.height, batch.width}, grew);
  out_.mask = mask_.take({count, batch.height, batch.width}, grew);
  out_.boxes = boxes_.take({count, most, 4}, grew);
  out_.targets = targets_.take({count, most, 4}, grew);
  out_.classes = classes_.take({count, most}, grew);
  out_.areas = areas_.take({count, most}, grew);
  out_.crowd = crowd_.take({count, most}, grew);
  out_.weights = weights_.take({count}, grew);
  out_.counts = at::empty({count}, at::kLong);
  out_.sizes = at::empty({count, 2}, at::kLong);
  out_.original_sizes = at::empty({count, 2}, at::kLong);
  out_.sample_ids = at::empty({count}, at::kLong);
  out_.num_boxes_global = detection.num_boxes_global;
  std::memcpy(out_.counts.data_ptr(), detection.counts.data(), out_.counts.nbytes());
  std::memcpy(out_.sample_ids.data_ptr(), batch.sample_ids.data(), out_.sample_ids.nbytes());
  auto* size = out_.sizes.data_ptr<std::int64_t>();
  auto* original = out_.original_sizes.data_ptr<std::int64_t>();
  for (const data::DetectionImage& image : detection.images) {
    *size++ = image.plan.size.height;
    *size++ = image.plan.size.width;
    *original++ = image.original.height;
    *original++ = image.original.width;
  }
  return grew;
}

std::array<TensorCopy, 6> DetectionTensors::copies(const data::Batch& batch) {
  const data::DetectionBatch& detection = *batch.detection;
  make_relative(detection, relative_);
  return {copy_of(out_.classes, detection.classes.data()),
          copy_of(out_.boxes, detection.boxes.data()),
          copy_of(out_.targets, relative_.data()),
          copy_of(out_.areas, detection.areas.data()),
          copy_of(out_.weights, batch.weights.data()),
          copy_of(out_.crowd, detection.crowd.data())};
}

DetectionSlot slot_of(const data::DetectionImage& image) {
  const data::Region& region = image.rest.region;
  return {image.offset,
          image.stored.height,
          image.stored.width,
          region.x0,
          region.y0,
          region.x1,
          region.y1,
          image.rest.size.height,
          image.rest.size.width,
          image.rest.flip ? 1 : 0};
}

}  // namespace lockstep::augment
