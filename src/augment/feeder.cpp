#include "batch_plan.h"
#include "cuda_feeder.h"

#include <lockstep/augment/feeder.h>

#include <ATen/ops/empty.h>

#include <array>
#include <cstring>

namespace lockstep::augment {
namespace {

class HostFeeder final : public Feeder {
 public:
  explicit HostFeeder(const FeederOptions& options) : planner_(options) {}

  DeviceBatch feed(const data::Batch& batch) override {
    planner_.plan(batch, plan_);
    DeviceBatch& out = slots_[next_++ % slots_.size()];
    if (!out.images.defined() || out.images.size(0) != batch.batch) allocate(batch, out);
    fill_images(batch, out.images.data_ptr<float>());
    const auto count = static_cast<std::size_t>(batch.batch);
    std::memcpy(out.labels.data_ptr(), batch.labels.data(), count * sizeof(std::int64_t));
    std::memcpy(out.weights.data_ptr(), batch.weights.data(), count * sizeof(float));
    std::memcpy(out.sample_ids.data_ptr(), batch.sample_ids.data(), count * sizeof(std::int64_t));
    if (plan_.mixes) fill_mixed_labels(batch, out);
    return out;
  }

  gpu::Event* reusable() override { return nullptr; }

 private:
  // The two of a pair follow each other, so that they are mixed while still in the cache.
  void fill_images(const data::Batch& batch, float* out) {
    const PassShape& shape = plan_.shape;
    const std::int64_t result = std::int64_t{shape.channels} * shape.height * shape.width;
    for (std::size_t i = 0; i < plan_.samples.size(); ++i) {
      const auto partner = static_cast<std::size_t>(plan_.samples[i].partner);
      if (partner < i) continue;
      float* const own = out + static_cast<std::int64_t>(i) * result;
      fill_one(batch, i, result, own);
      if (partner == i) continue;
      float* const other = out + static_cast<std::int64_t>(partner) * result;
      fill_one(batch, partner, result, other);
      mix_pair(plan_.samples[i], shape, own, other);
    }
  }

  void fill_one(const data::Batch& batch, std::size_t i, std::int64_t result, float* out) {
    if (!batch.floats.empty()) {
      const auto size = static_cast<std::size_t>(result);
      std::memcpy(out, batch.floats.data() + i * size, size * sizeof(float));
      return;
    }
    const auto source = static_cast<std::size_t>(batch.height * batch.width * batch.channels);
    transform_sample(batch.pixels.data() + i * source,
                     plan_.shape,
                     plan_.samples[i],
                     plan_.ops_of(i),
                     planner_.normalisation(),
                     memory_,
                     out);
  }

  void fill_mixed_labels(const data::Batch& batch, DeviceBatch& out) const {
    auto* const labels = out.labels_b.data_ptr<std::int64_t>();
    auto* const lambda = out.lambda.data_ptr<float>();
    for (std::size_t i = 0; i < plan_.samples.size(); ++i) {
      labels[i] = batch.labels[static_cast<std::size_t>(plan_.samples[i].partner)];
      lambda[i] = plan_.samples[i].lambda;
    }
  }

  void allocate(const data::Batch& batch, DeviceBatch& out) const {
    const PassShape& shape = plan_.shape;
    out.images = at::empty({batch.batch, shape.channels, shape.height, shape.width}, at::kFloat);
    out.labels = at::empty({batch.batch}, at::kLong);
    out.weights = at::empty({batch.batch}, at::kFloat);
    out.sample_ids = at::empty({batch.batch}, at::kLong);
    if (!plan_.mixes) return;
    out.labels_b = at::empty({batch.batch}, at::kLong);
    out.lambda = at::empty({batch.batch}, at::kFloat);
  }

  BatchPlanner planner_;
  BatchPlan plan_;
  PassMemory memory_;
  std::array<DeviceBatch, 2> slots_;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Feeder> make_feeder(gpu::Backend& backend,
                                    const at::Device& device,
                                    const FeederOptions& options) {
  if (backend.is_cuda()) return make_cuda_feeder(backend, device, options);
  return std::make_unique<HostFeeder>(options);
}

}  // namespace lockstep::augment
