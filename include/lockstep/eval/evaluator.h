// Runs a classification model over a whole data set, every sample counted once, and reduces the
// counts over the ranks.
#pragma once

#include <lockstep/comm/world.h>
#include <lockstep/data/dataset.h>
#include <lockstep/data/options.h>

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace lockstep::eval {

// Equal on all ranks, and the same to the last bit however many ranks share the work.
struct ClassificationResult {
  std::int64_t num_samples = 0;
  double loss = 0;  // mean cross-entropy; NaN when one of them is not finite
  double top1 = 0;  // 0 to 1
  double top5 = 0;  // 0 to 1; top-K where there are K < 5 classes
};

struct EvaluatorOptions {
  std::int64_t batch = 64;  // per rank
  std::int64_t threads = 1;
  std::int64_t prefetch = 4;
  std::string verify = "first_epoch";
  // Per channel, of pixels in [0, 1]: those of the training set, not of `dataset`.
  std::vector<double> mean;
  std::vector<double> std;
  // Sides of what `forward` takes: images of other sizes are resized by their shorter side and
  // centre cropped. 0: as the data set has them.
  std::int64_t image_size = 0;
  // Receives (sample ids (B) i64, logits (B, K) f32) of each batch in this rank's order: real
  // samples only, contiguous on the CPU, valid during the call. The ranks take batches in turn.
  std::function<void(const at::Tensor&, const at::Tensor&)> on_logits;
  bool progress = false;
};

// `forward` maps images (B, C, H, W) to logits (B, K). Runs without gradients.
// Collective. Throws: AgreedError on all ranks when any rank failed.
ClassificationResult evaluate_classification(
    comm::World& world,
    comm::Group& group,
    const comm::Device& device,
    const data::Dataset& dataset,
    const std::function<at::Tensor(const at::Tensor&)>& forward,
    const EvaluatorOptions& options);

}  // namespace lockstep::eval
