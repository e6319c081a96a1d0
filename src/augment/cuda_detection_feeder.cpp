#include "cuda_detection_feeder.h"

#include "cuda_kernels.h"
#include "detection_tensors.h"
#include "transform_pixels.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <array>
#include <cstring>

namespace lockstep::augment {
namespace {

// Slots and streams as in CudaFeeder.
class CudaDetectionFeeder final : public DetectionFeeder {
 public:
  CudaDetectionFeeder(gpu::Backend& backend,
                      const at::Device& device,
                      const std::vector<double>& mean,
                      const std::vector<double>& std)
      : backend_(backend),
        normalisation_(make_normalisation(mean, std)),
        num_channels_(std::ssize(mean)),
        copy_stream_(backend.make_stream(true)),
        make_(reinterpret_cast<DetectionFunction>(gpu::cuda_symbol(kDetectionSymbol))),
        slots_{Slot(backend, device), Slot(backend, device)} {}

  DetectionDeviceBatch feed(const data::Batch& batch) override {
    LOCKSTEP_CHECK(batch.detection != nullptr && batch.floats.empty(),
                   "bytes of a batch of a detection data set");
    LOCKSTEP_CHECK(batch.channels == num_channels_, "a mean and a deviation for each channel");
    const gpu::StreamHandle compute = backend_.compute_stream();
    // Everything launched since the last feed() reads the slot of that call: mark its end.
    if (last_ != nullptr) last_->consumed->record(compute);
    Slot& slot = slots_[next_++ % slots_.size()];
    slot.copied->synchronize();  // its staging memory is free again: two feeds ago, long done
    if (find_room(batch, slot)) {
      // What had this memory before may still be read by work that the compute stream has queued.
      slot.consumed->record(compute);
    }
    const gpu::StreamHandle copy = copy_stream_->handle();
    slot.consumed->make_wait(copy);
    copy_all(batch, slot, copy);
    slot.copied->record(copy);
    slot.copied->make_wait(compute);
    launch(batch, slot, compute);
    last_ = &slot;
    return slot.tensors.out();
  }

  gpu::Event* reusable() override { return last_ == nullptr ? nullptr : last_->copied.get(); }

 private:
  struct Slot {
    Slot(gpu::Backend& backend, const at::Device& device)
        : tensors(device), copied(backend.make_event(false)), consumed(backend.make_event(false)) {
      pixels.options = plans.options = at::TensorOptions().device(device).dtype(at::kByte);
    }

    GrownTensor pixels;  // bytes of all images
    GrownTensor plans;   // bytes of (B) DetectionSlot
    DetectionTensors tensors;
    std::unique_ptr<gpu::PinnedBuffer> staging;  // what goes to the device beside the pixels
    std::unique_ptr<gpu::Event> copied;
    std::unique_ptr<gpu::Event> consumed;
  };

  // True when memory of the device was allocated anew.
  static bool find_room(const data::Batch& batch, Slot& slot) {
    bool grew = slot.tensors.shape(batch);
    slot.pixels.take({static_cast<std::int64_t>(batch.pixels.size())}, grew);
    slot.plans.take({batch.batch * static_cast<std::int64_t>(sizeof(DetectionSlot))}, grew);
    return grew;
  }

  // Through page-locked memory that stays untouched until `copied`. Widest items first, so that
  // each begins at a multiple of its own size.
  void copy_all(const data::Batch& batch, Slot& slot, gpu::StreamHandle stream) {
    plans_.clear();
    for (const data::DetectionImage& image : batch.detection->images) {
      plans_.push_back(slot_of(image));
    }
    const auto copies = slot.tensors.copies(batch);
    const std::size_t plan_bytes = plans_.size() * sizeof(DetectionSlot);
    std::size_t total = plan_bytes;
    for (const TensorCopy& copy : copies) total += copy.size_bytes;
    if (!slot.staging || slot.staging->size_bytes() < total) {
      slot.staging = backend_.make_pinned(total + total / 4);
    }
    std::byte* at = slot.staging->data();
    const auto send = [&](const at::Tensor& to, const void* from, std::size_t size_bytes) {
      if (size_bytes == 0) return;
      std::memcpy(at, from, size_bytes);
      backend_.copy_to_device_async(to.data_ptr(), at, size_bytes, stream);
      at += size_bytes;
    };
    send(slot.plans.memory, plans_.data(), plan_bytes);
    for (const TensorCopy& copy : copies) send(copy.to, copy.from, copy.size_bytes);
    if (batch.pixels.empty()) return;
    backend_.copy_to_device_async(
        slot.pixels.memory.data_ptr(), batch.pixels.data(), batch.pixels.size(), stream);
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
  std::unique_ptr<gpu::Stream> copy_stream_;
  DetectionFunction make_;
  std::array<Slot, 2> slots_;
  Slot* last_ = nullptr;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<DetectionFeeder> make_cuda_detection_feeder(gpu::Backend& backend,
                                                            const at::Device& device,
                                                            const std::vector<double>& mean,
                                                            const std::vector<double>& std) {
  return std::make_unique<CudaDetectionFeeder>(backend, device, mean, std);
}

}  // namespace lockstep::augment
