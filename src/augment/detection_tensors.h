// The tensors of a detection batch on a device, whose shapes change from step to step, and what is
// copied into them. What both detection feeders share.
#pragma once

#include "cuda_kernels.h"

#include <lockstep/augment/detection_feeder.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep::augment {

// A tensor whose memory grows and is kept.
struct GrownTensor {
  at::Tensor memory;
  at::TensorOptions options;

  // Of this shape, not initialised; `grew` is set when memory was allocated anew.
  at::Tensor take(at::IntArrayRef shape, bool& grew);
};

// What `to` has to hold.
struct TensorCopy {
  at::Tensor to;
  const void* from = nullptr;
  std::size_t size_bytes = 0;
};

class DetectionTensors {
 public:
  explicit DetectionTensors(const at::Device& device);

  // Gives the tensors the batch's shapes and fills those that stay on the host. True when memory
  // was allocated anew.
  bool shape(const data::Batch& batch);
  // What goes from the batch to the device beside the pixels, widest items first. Good until the
  // next call, and as long as the batch.
  std::array<TensorCopy, 6> copies(const data::Batch& batch);
  const DetectionDeviceBatch& out() const { return out_; }

 private:
  GrownTensor images_, mask_, boxes_, targets_, classes_, areas_, crowd_, weights_;
  std::vector<float> relative_;
  DetectionDeviceBatch out_;
};

DetectionSlot slot_of(const data::DetectionImage& image);

}  // namespace lockstep::augment
