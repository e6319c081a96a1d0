// The detection feeder of a CUDA device.
#pragma once

#include <lockstep/augment/detection_feeder.h>

#include <memory>
#include <vector>

namespace lockstep::augment {

std::unique_ptr<DetectionFeeder> make_cuda_detection_feeder(gpu::Backend& backend,
                                                            const at::Device& device,
                                                            const std::vector<double>& mean,
                                                            const std::vector<double>& std);

}  // namespace lockstep::augment
