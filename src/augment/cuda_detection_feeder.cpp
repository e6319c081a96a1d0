#include "cuda_detection_feeder.h"

#include "copy_slots.h"
#include "cuda_kernels.h"
#include "detection_tensors.h"
#include "transform_pixels.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <array>
#include <cstring>

namespace lockstep::augment {
namespace {

class CudaDetectionFeeder final : public DetectionFeeder {
 public:
  CudaDetectionFeeder(gpu::Backend& backend,
                      const at::Device& device,
                      const std::vector<double>& mean,
                      const std::vector<double>& std)
      : backend_(backend),
        normalisation_(make_normalisation(mean, std)),
        num_channels_(std::ssize(mean)),
        turns_(backend),
        make_(reinterpret_cast<DetectionFunction>(gpu::cuda_symbol(kDetectionSymbol))),
        slots_{Slot(device), Slot(device)} {}

  DetectionDeviceBatch feed(const data::Batch& batch) override {
    LOCKSTEP_CHECK(batch.detection != nullptr && batch.floats.empty(),
                   "bytes of a batch of a detection data set");
    LOCKSTEP_CHECK(batch.channels == num_channels_, "a mean and a deviation for each channel");
    Slot& slot = slots_[turns_.turn()];
    if (find_room(batch, slot)) turns_.moved();
    copy_all(batch, slot);
    launch(batch, slot, backend_.compute_stream());
    return slot.tensors.out();
  }

  gpu::Event* reusable() override { return turns_.reusable(); }

 private:
  struct Slot {
    explicit Slot(const at::Device& device) : tensors(device) {
      pixels.options = plans.options = at::TensorOptions().device(device).dtype(at::kByte);
    }

    GrownTensor pixels;  // bytes of all images
    GrownTensor plans;   // bytes of (B) DetectionSlot
    DetectionTensors tensors;
  };

  // True when memory of the device was allocated anew.
  static bool find_room(const data::Batch& batch, Slot& slot) {
    bool grew = slot.tensors.shape(batch);
    slot.pixels.take({static_cast<std::int64_t>(batch.pixels.size())}, grew);
    slot.plans.take({batch.batch * static_cast<std::int64_t>(sizeof(DetectionSlot))}, grew);
    return grew;
  }

  void copy_all(const data::Batch& batch, Slot& slot) {
    plans_.clear();
    for (const data::DetectionImage& image : batch.detection->images) {
      plans_.push_back(slot_of(image));
    }
    const auto copies = slot.tensors.copies(batch);
    const std::size_t plan_bytes = plans_.size() * sizeof(DetectionSlot);
    std::size_t total = plan_bytes;
    for (const TensorCopy& copy : copies) total += copy.size_bytes;
    turns_.begin_copies(total);
    turns_.send(slot.plans.memory.data_ptr(), plans_.data(), plan_bytes);
    for (const TensorCopy& copy : copies) {
      if (copy.size_bytes > 0) turns_.send(copy.to.data_ptr(), copy.from, copy.size_bytes);
    }
    turns_.send_pinned(slot.pixels.memory.data_ptr(), batch.pixels.data(), batch.pixels.size());
    turns_.end_copies();
  }

  void launch(const data::Batch& batch, Slot& slot, gpu::StreamHandle stream) {
    const DetectionDeviceBatch& out = slot.tensors.out();
    DetectionArguments arguments{};
    arguments.pixels = static_cast<const std::uint8_t*>(slot.pixels.memory.data_ptr());
    arguments.slots = static_cast<const DetectionSlot*>(slot.plans.memory.data_ptr());
    arguments.out = out.images.data_ptr<float>();
    arguments.mask = static_cast<std::uint8_t*>(out.mask.data_ptr());
    arguments.batch = batch.batch;
    arguments.channels = static_cast<std::int32_t>(batch.channels);
    arguments.height = static_cast<std::int32_t>(batch.height);
    arguments.width = static_cast<std::int32_t>(batch.width);
    std::memcpy(arguments.scale, normalisation_.scale, sizeof arguments.scale);
    std::memcpy(arguments.shift, normalisation_.shift, sizeof arguments.shift);
    const char* const error = make_(arguments, stream.native);
    if (error != nullptr) {
      throw unavailable_error(format("the kernel that moves pixels did not start: {}", error));
    }
  }

  gpu::Backend& backend_;
  Normalisation normalisation_;
  std::int64_t num_channels_;
  std::vector<DetectionSlot> plans_;
  CopySlots turns_;
  DetectionFunction make_;
  std::array<Slot, CopySlots::kSlots> slots_;
};

}  // namespace

std::unique_ptr<DetectionFeeder> make_cuda_detection_feeder(gpu::Backend& backend,
                                                            const at::Device& device,
                                                            const std::vector<double>& mean,
                                                            const std::vector<double>& std) {
  return std::make_unique<CudaDetectionFeeder>(backend, device, mean, std);
}

}  // namespace lockstep::augment
