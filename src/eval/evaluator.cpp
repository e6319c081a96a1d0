#include <lockstep/augment/feeder.h>
#include <lockstep/base/progress.h>
#include <lockstep/data/loader.h>
#include <lockstep/eval/evaluator.h>
#include <lockstep/metrics/top_k.h>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

namespace lockstep::eval {
namespace {

// Losses are added up as whole multiples of this, so that their sum does not depend on how the
// samples were spread over ranks. It is the spacing of floats at 1.
constexpr double kLossUnit = 1.0 / (1 << 24);
constexpr float kLargestLoss = 1e5F;

// Sums over this rank's samples.
struct Counts {
  metrics::TopKCounts top;
  std::int64_t loss_units = 0;
  std::int64_t losses_out_of_range = 0;  // not finite, or larger than any sense

  void add_loss(float loss) {
    if (loss <= kLargestLoss) {
      loss_units += std::llround(static_cast<double>(loss) / kLossUnit);
    } else {
      ++losses_out_of_range;
    }
  }
};

at::Device torch_device(const comm::Device& device) {
  return device.is_cuda() ? at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device.index))
                          : at::Device(at::kCPU);
}

data::LoaderOptions loader_options(const comm::Group& group,
                                   const data::Dataset& dataset,
                                   const EvaluatorOptions& options) {
  data::LoaderOptions loader;
  loader.sampler.num_samples = dataset.info().num_samples;
  loader.sampler.batch_per_rank = options.batch;
  loader.sampler.num_ranks = group.size();
  loader.sampler.shuffle = false;
  loader.rank = group.rank();
  loader.threads = options.threads;
  loader.prefetch = options.prefetch;
  loader.verify = options.verify;
  loader.num_epochs = 1;
  loader.target = {static_cast<std::int32_t>(options.image_size),
                   static_cast<std::int32_t>(options.image_size)};
  return loader;
}

void count_batch(const data::Batch& batch,
                 const augment::DeviceBatch& on_device,
                 const at::Tensor& logits_any,
                 const EvaluatorOptions& options,
                 Counts& counts) {
  const at::Tensor logits = logits_any.to(at::kCPU, at::kFloat).contiguous();  // (B, K)
  const at::Tensor labels = on_device.labels.to(at::kCPU);
  const at::Tensor losses =
      at::cross_entropy_loss(logits, labels, {}, at::Reduction::None).contiguous();
  const std::span<const float> values(logits.const_data_ptr<float>(),
                                      static_cast<std::size_t>(logits.numel()));
  counts.top += metrics::count_top_k(values, logits.size(1), batch.labels, batch.weights);
  const float* loss = losses.const_data_ptr<float>();
  for (std::size_t i = 0; i < batch.weights.size(); ++i) {
    if (batch.weights[i] > 0) counts.add_loss(loss[i]);
  }
  if (options.on_logits && batch.num_real > 0) {
    // Padding always closes a batch, so the real samples are its first rows.
    options.on_logits(on_device.sample_ids.narrow(0, 0, batch.num_real),
                      logits.narrow(0, 0, batch.num_real));
  }
}

Counts count_own_share(comm::Group& group,
                       const comm::Device& device,
                       const data::Dataset& dataset,
                       const std::function<at::Tensor(const at::Tensor&)>& forward,
                       const EvaluatorOptions& options) {
  const at::NoGradGuard no_grad;
  const data::LoaderOptions settings = loader_options(group, dataset, options);
  augment::FeederOptions feeding;
  feeding.mean = options.mean;
  feeding.std = options.std;
  feeding.training = false;
  const auto side = static_cast<std::int32_t>(options.image_size);
  feeding.size = {side, side};
  const auto feeder = augment::make_feeder(*device.backend, torch_device(device), feeding);
  const auto loader = data::make_loader(dataset, *device.backend, settings);
  std::optional<Progress> progress;
  if (options.progress && group.rank() == 0) {
    progress.emplace("evaluate", dataset.info().num_samples, "images");
  }
  Counts counts;
  while (const data::Batch* batch = loader->next()) {
    const augment::DeviceBatch on_device = feeder->feed(*batch);
    count_batch(*batch, on_device, forward(on_device.images), options, counts);
    if (progress) progress->advance(std::min(batch->num_real_global, batch->batch * group.size()));
    loader->release(batch, feeder->reusable());
  }
  return counts;
}

}  // namespace

ClassificationResult evaluate_classification(
    comm::World& world,
    comm::Group& group,
    const comm::Device& device,
    const data::Dataset& dataset,
    const std::function<at::Tensor(const at::Tensor&)>& forward,
    const EvaluatorOptions& options) {
  Counts counts;
  comm::agree(world, [&] { counts = count_own_share(group, device, dataset, forward, options); });
  std::array<std::int64_t, 5> sums{counts.top.correct1,
                                   counts.top.correct5,
                                   counts.top.total,
                                   counts.loss_units,
                                   counts.losses_out_of_range};
  comm::all_reduce(world.control(), sums, comm::ReduceOp::kSum);
  ClassificationResult result;
  result.num_samples = sums[2];
  const auto total = static_cast<double>(std::max<std::int64_t>(1, sums[2]));
  result.loss = sums[4] > 0 ? std::numeric_limits<double>::quiet_NaN()
                            : static_cast<double>(sums[3]) * kLossUnit / total;
  result.top1 = static_cast<double>(sums[0]) / total;
  result.top5 = static_cast<double>(sums[1]) / total;
  return result;
}

}  // namespace lockstep::eval
