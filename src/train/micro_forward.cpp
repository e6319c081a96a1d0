#include "micro_forward.h"

#include <lockstep/train/autocast.h>

namespace lockstep::train {

augment::DeviceBatch part_of(const augment::DeviceBatch& inputs,
                             std::int64_t part,
                             std::int64_t parts) {
  augment::DeviceBatch out = inputs;
  for (at::Tensor* tensor :
       {&out.images, &out.labels, &out.weights, &out.labels_b, &out.lambda, &out.sample_ids}) {
    if (!tensor->defined()) continue;
    const std::int64_t count = tensor->size(0) / parts;
    *tensor = tensor->narrow(0, part * count, count);
  }
  return out;
}

at::Tensor forward_model(models::Vit& model,
                         const Settings& settings,
                         const augment::DeviceBatch& inputs,
                         std::int64_t step) {
  const AutocastScope autocast(settings.precision.compute, inputs.images.device().type());
  const models::ForwardContext context{
      static_cast<std::uint64_t>(settings.run.seed), step, inputs.sample_ids};
  return model.forward(inputs.images, context);
}

models::ClassificationLoss loss_of(const Settings& settings,
                                   const at::Tensor& logits,
                                   const augment::DeviceBatch& inputs,
                                   double num_real_global) {
  const double smoothing = settings.train.label_smoothing;
  if (!inputs.lambda.defined()) {
    return models::cross_entropy(logits, inputs.labels, inputs.weights, num_real_global, smoothing);
  }
  return models::mixed_cross_entropy(logits,
                                     inputs.labels,
                                     inputs.labels_b,
                                     inputs.lambda,
                                     inputs.weights,
                                     num_real_global,
                                     smoothing);
}

}  // namespace lockstep::train
