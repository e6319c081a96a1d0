#include "cuda_detection_feeder.h"
#include "detection_tensors.h"

#include <lockstep/augment/detection.h>
#include <lockstep/base/error.h>

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace lockstep::augment {
namespace {

class HostDetectionFeeder final : public DetectionFeeder {
 public:
  HostDetectionFeeder(const std::vector<double>& mean, const std::vector<double>& std)
      : to_floats_(make_detection_to_floats(mean, std)) {}

  DetectionDeviceBatch feed(const data::Batch& batch) override {
    LOCKSTEP_CHECK(batch.detection != nullptr, "a batch of a detection data set");
    DetectionTensors& slot = slots_[next_++ % slots_.size()];
    slot.shape(batch);
    for (const TensorCopy& copy : slot.copies(batch)) {
      if (copy.size_bytes > 0) std::memcpy(copy.to.data_ptr(), copy.from, copy.size_bytes);
    }
    at::parallel_for(0, batch.batch, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) fill_one(batch, i, slot.out());
    });
    return slot.out();
  }

  gpu::Event* reusable() override { return nullptr; }

 private:
  void fill_one(const data::Batch& batch, std::int64_t i, const DetectionDeviceBatch& out) const {
    const data::DetectionImage& image = batch.detection->images[static_cast<std::size_t>(i)];
    const auto plane = static_cast<std::size_t>(batch.height * batch.width);
    bool* const mask = out.mask.data_ptr<bool>() + i * batch.height * batch.width;
    std::fill_n(mask, plane, true);
    for (std::int64_t y = 0; y < image.rest.size.height; ++y) {
      std::fill_n(mask + y * batch.width, image.rest.size.width, false);
    }
    const std::size_t result = plane * static_cast<std::size_t>(batch.channels);
    const std::span to(out.images.data_ptr<float>() + i * static_cast<std::int64_t>(result),
                       result);
    if (!batch.floats.empty()) {
      std::ranges::copy(batch.floats.subspan(static_cast<std::size_t>(i) * result, result),
                        to.begin());
    } else if (image.stored.height == 0) {
      std::ranges::fill(to, 0.0F);
    } else {
      to_floats_(batch.pixels.subspan(static_cast<std::size_t>(image.offset),
                                      image.stored_bytes(batch.channels)),
                 image,
                 batch.detection->padded,
                 to);
    }
  }

  data::DetectionToFloats to_floats_;
  std::array<DetectionTensors, 2> slots_{DetectionTensors(at::kCPU), DetectionTensors(at::kCPU)};
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<DetectionFeeder> make_detection_feeder(gpu::Backend& backend,
                                                       const at::Device& device,
                                                       const std::vector<double>& mean,
                                                       const std::vector<double>& std) {
  if (backend.is_cuda()) return make_cuda_detection_feeder(backend, device, mean, std);
  return std::make_unique<HostDetectionFeeder>(mean, std);
}

}  // namespace lockstep::augment
