#include "cuda_kernels.h"

#include <lockstep/augment/feeder.h>
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <ATen/ops/empty.h>

#include <array>
#include <cstring>

namespace lockstep::augment {
namespace {

// out = pixel * scale + shift equals (pixel / 255 - mean) / std.
struct Affine {
  std::vector<float> scale;
  std::vector<float> shift;
};

Affine make_affine(const FeederOptions& options) {
  Affine affine;
  for (std::size_t c = 0; c < options.mean.size(); ++c) {
    affine.scale.push_back(static_cast<float>(1.0 / (255.0 * options.std[c])));
    affine.shift.push_back(static_cast<float>(-options.mean[c] / options.std[c]));
  }
  return affine;
}

PixelShape shape_of(const data::Batch& batch) {
  return {batch.batch, batch.height, batch.width, batch.channels};
}

class HostFeeder final : public Feeder {
 public:
  explicit HostFeeder(const FeederOptions& options)
      : options_(options), affine_(make_affine(options)) {}

  DeviceBatch feed(const data::Batch& batch) override {
    DeviceBatch& out = slots_[next_++ % slots_.size()];
    if (!out.images.defined() || out.images.size(0) != batch.batch) allocate(batch, out);
    data::plan_transforms(options_.augment, options_.seed, batch.epoch, batch.sample_ids, plans_);
    transform_pixels(batch.pixels.data(),
                     shape_of(batch),
                     plans_.data(),
                     affine_.scale.data(),
                     affine_.shift.data(),
                     out.images.data_ptr<float>());
    const auto count = static_cast<std::size_t>(batch.batch);
    std::memcpy(out.labels.data_ptr(), batch.labels.data(), count * sizeof(std::int64_t));
    std::memcpy(out.weights.data_ptr(), batch.weights.data(), count * sizeof(float));
    std::memcpy(out.sample_ids.data_ptr(), batch.sample_ids.data(), count * sizeof(std::int64_t));
    return out;
  }

  gpu::Event* reusable() override { return nullptr; }

 private:
  static void allocate(const data::Batch& batch, DeviceBatch& out) {
    out.images = at::empty({batch.batch, batch.channels, batch.height, batch.width}, at::kFloat);
    out.labels = at::empty({batch.batch}, at::kLong);
    out.weights = at::empty({batch.batch}, at::kFloat);
    out.sample_ids = at::empty({batch.batch}, at::kLong);
  }

  FeederOptions options_;
  Affine affine_;
  std::vector<data::TransformPlan> plans_;
  std::array<DeviceBatch, 2> slots_;
  std::size_t next_ = 0;
};

// Two slots: while the compute stream uses one, the copy stream fills the other. The `consumed`
// event of a slot keeps the copy stream from overwriting tensors that a step still reads.
class CudaFeeder final : public Feeder {
 public:
  CudaFeeder(gpu::Backend& backend, const at::Device& device, const FeederOptions& options)
      : backend_(backend),
        device_(device),
        options_(options),
        affine_(make_affine(options)),
        copy_stream_(backend.make_stream(true)),
        transform_(reinterpret_cast<TransformFunction>(gpu::cuda_symbol(kTransformSymbol))) {
    for (Slot& slot : slots_) {
      slot.copied = backend.make_event(false);
      slot.consumed = backend.make_event(false);
    }
  }

  DeviceBatch feed(const data::Batch& batch) override {
    const gpu::StreamHandle compute = backend_.compute_stream();
    // Everything launched since the last feed() reads the slot of that call: mark its end.
    if (last_ != nullptr) last_->consumed->record(compute);
    Slot& slot = slots_[next_++ % slots_.size()];
    slot.copied->synchronize();  // its staging memory is free again: two feeds ago, long done
    if (!slot.pixels.defined() || slot.pixels.size(0) != batch.batch) {
      allocate(batch, slot);
      // What had this memory before may still be read by work that the compute stream has queued.
      slot.consumed->record(compute);
    }
    fill_staging(batch, slot);
    const gpu::StreamHandle copy = copy_stream_->handle();
    slot.consumed->make_wait(copy);
    const auto count = static_cast<std::size_t>(batch.batch);
    copy_to(slot.pixels, batch.pixels.data(), batch.pixels.size(), copy);
    copy_to(slot.out.labels, slot.labels(), count * sizeof(std::int64_t), copy);
    copy_to(slot.out.weights, slot.weights(count), count * sizeof(float), copy);
    copy_to(slot.plans, slot.host_plans(count), count * sizeof(DevicePlan), copy);
    slot.copied->record(copy);
    slot.copied->make_wait(compute);
    launch(batch, slot, compute);
    last_ = &slot;
    return slot.out;
  }

  gpu::Event* reusable() override { return last_ == nullptr ? nullptr : last_->copied.get(); }

 private:
  struct Slot {
    at::Tensor pixels;  // (B, H, W, C) u8
    at::Tensor plans;   // (B, 3) i32
    DeviceBatch out;
    std::unique_ptr<gpu::PinnedBuffer> staging;  // labels, weights, plans
    std::unique_ptr<gpu::Event> copied;
    std::unique_ptr<gpu::Event> consumed;

    std::byte* labels() { return staging->data(); }
    std::byte* weights(std::size_t count) { return labels() + count * sizeof(std::int64_t); }
    std::byte* host_plans(std::size_t count) { return weights(count) + count * sizeof(float); }
  };

  void copy_to(at::Tensor& to, const void* from, std::size_t size_bytes, gpu::StreamHandle stream) {
    backend_.copy_to_device_async(to.data_ptr(), from, size_bytes, stream);
  }

  void allocate(const data::Batch& batch, Slot& slot) {
    const auto on_device = at::TensorOptions().device(device_);
    const std::int64_t count = batch.batch;
    slot.pixels =
        at::empty({count, batch.height, batch.width, batch.channels}, on_device.dtype(at::kByte));
    slot.plans = at::empty({count, 3}, on_device.dtype(at::kInt));
    slot.out.images =
        at::empty({count, batch.channels, batch.height, batch.width}, on_device.dtype(at::kFloat));
    slot.out.labels = at::empty({count}, on_device.dtype(at::kLong));
    slot.out.weights = at::empty({count}, on_device.dtype(at::kFloat));
    slot.out.sample_ids = at::empty({count}, at::kLong);
    slot.staging =
        backend_.make_pinned(static_cast<std::size_t>(count) *
                             (sizeof(std::int64_t) + sizeof(float) + sizeof(DevicePlan)));
  }

  void fill_staging(const data::Batch& batch, Slot& slot) {
    const auto count = static_cast<std::size_t>(batch.batch);
    std::memcpy(slot.labels(), batch.labels.data(), count * sizeof(std::int64_t));
    std::memcpy(slot.weights(count), batch.weights.data(), count * sizeof(float));
    data::plan_transforms(options_.augment, options_.seed, batch.epoch, batch.sample_ids, plans_);
    std::byte* at = slot.host_plans(count);
    for (const data::TransformPlan& plan : plans_) {
      const DevicePlan row{plan.dx, plan.dy, plan.flip ? 1 : 0};
      std::memcpy(at, &row, sizeof row);
      at += sizeof row;
    }
    std::memcpy(
        slot.out.sample_ids.data_ptr(), batch.sample_ids.data(), count * sizeof(std::int64_t));
  }

  void launch(const data::Batch& batch, Slot& slot, gpu::StreamHandle stream) {
    TransformArguments arguments{};
    arguments.pixels = slot.pixels.data_ptr<std::uint8_t>();
    arguments.plans = static_cast<const DevicePlan*>(slot.plans.data_ptr());
    arguments.out = slot.out.images.data_ptr<float>();
    arguments.batch = batch.batch;
    arguments.height = batch.height;
    arguments.width = batch.width;
    arguments.channels = batch.channels;
    for (std::size_t c = 0; c < affine_.scale.size(); ++c) {
      arguments.scale[c] = affine_.scale[c];
      arguments.shift[c] = affine_.shift[c];
    }
    const char* const error = transform_(arguments, stream.native);
    if (error != nullptr) {
      throw unavailable_error(format("the kernel that moves pixels did not start: {}", error));
    }
  }

  gpu::Backend& backend_;
  at::Device device_;
  FeederOptions options_;
  Affine affine_;
  std::vector<data::TransformPlan> plans_;
  std::unique_ptr<gpu::Stream> copy_stream_;
  TransformFunction transform_;
  std::array<Slot, 2> slots_;
  Slot* last_ = nullptr;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Feeder> make_feeder(gpu::Backend& backend,
                                    const at::Device& device,
                                    const FeederOptions& options) {
  LOCKSTEP_CHECK(options.mean.size() == options.std.size() && !options.mean.empty() &&
                     options.mean.size() <= 4,
                 "mean and std of one to four channels");
  if (backend.is_cuda()) return std::make_unique<CudaFeeder>(backend, device, options);
  return std::make_unique<HostFeeder>(options);
}

}  // namespace lockstep::augment
