// The feeder of a CUDA device.
#pragma once

#include <lockstep/augment/feeder.h>

#include <memory>

namespace lockstep::augment {

std::unique_ptr<Feeder> make_cuda_feeder(gpu::Backend& backend,
                                         const at::Device& device,
                                         const FeederOptions& options);

}  // namespace lockstep::augment
