#include "cuda_feeder.h"

#include "batch_plan.h"
#include "copy_slots.h"
#include "cuda_kernels.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>

#include <ATen/ops/empty.h>

#include <array>
#include <cstring>

namespace lockstep::augment {
namespace {

void check_started(const char* error) {
  if (error != nullptr) {
    throw unavailable_error(format("the kernel that moves pixels did not start: {}", error));
  }
}

class CudaFeeder final : public Feeder {
 public:
  CudaFeeder(gpu::Backend& backend, const at::Device& device, const FeederOptions& options)
      : backend_(backend),
        device_(device),
        planner_(options),
        turns_(backend),
        transform_(reinterpret_cast<TransformFunction>(gpu::cuda_symbol(kTransformSymbol))),
        ops_(reinterpret_cast<OpsFunction>(gpu::cuda_symbol(kOpsSymbol))) {}

  DeviceBatch feed(const data::Batch& batch) override {
    LOCKSTEP_CHECK(batch.floats.empty(), "a device takes bytes");
    planner_.plan(batch, plan_);
    Slot& slot = slots_[turns_.turn()];
    if (!slot.pixels.defined() || slot.pixels.size(0) != batch.batch) {
      allocate(batch, slot);
      turns_.moved();
    }
    copy_all(batch, slot);
    launch(slot, backend_.compute_stream());
    return slot.out;
  }

  gpu::Event* reusable() override { return turns_.reusable(); }

 private:
  struct Slot {
    at::Tensor pixels;  // (B, source H, source W, C) u8
    at::Tensor plans;   // bytes of (B) SamplePlan
    at::Tensor ops;     // bytes of (B, ops) PixelOp; undefined without operations
    at::Tensor bytes;   // (B, H, W, C) u8
    at::Tensor scratch;
    at::Tensor tables;
    DeviceBatch out;
  };

  void allocate(const data::Batch& batch, Slot& slot) {
    const auto on_device = at::TensorOptions().device(device_);
    const PassShape& shape = plan_.shape;
    const std::int64_t count = batch.batch;
    const auto bytes_tensor = [&](at::IntArrayRef sizes) {
      return at::empty(sizes, on_device.dtype(at::kByte));
    };
    slot.pixels = bytes_tensor({count, batch.height, batch.width, batch.channels});
    slot.plans = bytes_tensor({count * static_cast<std::int64_t>(sizeof(SamplePlan))});
    if (plan_.ops_per_sample > 0) {
      slot.ops = bytes_tensor({static_cast<std::int64_t>(plan_.ops.size() * sizeof(PixelOp))});
      slot.bytes = bytes_tensor({count, shape.height, shape.width, shape.channels});
      slot.scratch = bytes_tensor({count, shape.height, shape.width, shape.channels});
      slot.tables = bytes_tensor({count, kTableBytes});
    }
    slot.out.images =
        at::empty({count, shape.channels, shape.height, shape.width}, on_device.dtype(at::kFloat));
    slot.out.labels = at::empty({count}, on_device.dtype(at::kLong));
    slot.out.weights = at::empty({count}, on_device.dtype(at::kFloat));
    slot.out.sample_ids = at::empty({count}, at::kLong);
    if (plan_.mixes) {
      slot.out.labels_b = at::empty({count}, on_device.dtype(at::kLong));
      slot.out.lambda = at::empty({count}, on_device.dtype(at::kFloat));
    }
  }

  void copy_all(const data::Batch& batch, Slot& slot) {
    const auto count = static_cast<std::size_t>(batch.batch);
    turns_.begin_copies(count *
                            (sizeof(SamplePlan) + 2 * sizeof(std::int64_t) + 2 * sizeof(float)) +
                        plan_.ops.size() * sizeof(PixelOp));
    turns_.send_pinned(slot.pixels.data_ptr(), batch.pixels.data(), batch.pixels.size());
    const auto send = [&](at::Tensor& to, const void* from, std::size_t size_bytes) {
      turns_.send(to.data_ptr(), from, size_bytes);
    };
    send(slot.plans, plan_.samples.data(), count * sizeof(SamplePlan));
    send(slot.out.labels, batch.labels.data(), count * sizeof(std::int64_t));
    if (plan_.mixes) {
      labels_b_.clear();
      lambda_.clear();
      for (const SamplePlan& plan : plan_.samples) {
        labels_b_.push_back(batch.labels[static_cast<std::size_t>(plan.partner)]);
        lambda_.push_back(plan.lambda);
      }
      send(slot.out.labels_b, labels_b_.data(), count * sizeof(std::int64_t));
      send(slot.out.lambda, lambda_.data(), count * sizeof(float));
    }
    send(slot.out.weights, batch.weights.data(), count * sizeof(float));
    if (plan_.ops_per_sample > 0) {
      send(slot.ops, plan_.ops.data(), plan_.ops.size() * sizeof(PixelOp));
    }
    turns_.end_copies();
    std::memcpy(
        slot.out.sample_ids.data_ptr(), batch.sample_ids.data(), count * sizeof(std::int64_t));
  }

  void launch(Slot& slot, gpu::StreamHandle stream) {
    const PassShape& shape = plan_.shape;
    TransformArguments arguments{};
    arguments.pixels = slot.pixels.data_ptr<std::uint8_t>();
    arguments.plans = static_cast<const SamplePlan*>(slot.plans.data_ptr());
    arguments.out = slot.out.images.data_ptr<float>();
    arguments.batch = slot.pixels.size(0);
    arguments.source_height = shape.source_height;
    arguments.source_width = shape.source_width;
    arguments.channels = shape.channels;
    arguments.height = shape.height;
    arguments.width = shape.width;
    std::memcpy(arguments.scale, planner_.normalisation().scale, sizeof arguments.scale);
    std::memcpy(arguments.shift, planner_.normalisation().shift, sizeof arguments.shift);
    if (plan_.ops_per_sample > 0) {
      run_ops(slot, arguments, stream);
      arguments.pixels = slot.bytes.data_ptr<std::uint8_t>();
      arguments.source_height = shape.height;
      arguments.source_width = shape.width;
      arguments.cropped = 1;
    }
    check_started(transform_(arguments, stream.native));
  }

  void run_ops(Slot& slot, const TransformArguments& transform, gpu::StreamHandle stream) {
    OpsArguments arguments{};
    arguments.pixels = transform.pixels;
    arguments.plans = transform.plans;
    arguments.ops = static_cast<const PixelOp*>(slot.ops.data_ptr());
    arguments.bytes = slot.bytes.data_ptr<std::uint8_t>();
    arguments.scratch = slot.scratch.data_ptr<std::uint8_t>();
    arguments.tables = slot.tables.data_ptr<std::uint8_t>();
    arguments.batch = transform.batch;
    arguments.ops_per_sample = plan_.ops_per_sample;
    arguments.source_height = transform.source_height;
    arguments.source_width = transform.source_width;
    arguments.channels = transform.channels;
    arguments.height = transform.height;
    arguments.width = transform.width;
    check_started(ops_(arguments, stream.native));
  }

  gpu::Backend& backend_;
  at::Device device_;
  BatchPlanner planner_;
  BatchPlan plan_;
  std::vector<std::int64_t> labels_b_;
  std::vector<float> lambda_;
  CopySlots turns_;
  TransformFunction transform_;
  OpsFunction ops_;
  std::array<Slot, CopySlots::kSlots> slots_;
};

}  // namespace

std::unique_ptr<Feeder> make_cuda_feeder(gpu::Backend& backend,
                                         const at::Device& device,
                                         const FeederOptions& options) {
  return std::make_unique<CudaFeeder>(backend, device, options);
}

}  // namespace lockstep::augment
