// Random parts of a forward pass. Each number is a pure function of (seed, step, site, sample id,
// element): it does not depend on the batch, the ranks, the micro-batches or the device.
#pragma once

#include <lockstep/models/vit.h>

#include <cstdint>
#include <vector>

namespace lockstep::models {

// Stochastic depth (Huang et al. 2016) for `rates.size()` residual branches in one go: (R, B, 1, 1)
// fp32 on `device`, 0 with probability rates[r], else 1 / (1 - rates[r]). Branch r draws at site
// `first_site + r`.
// Requires: context.sample_ids.
at::Tensor drop_path_factors(const ForwardContext& context,
                             const std::vector<double>& rates,
                             std::int64_t first_site,
                             at::Device device);

// x (B, ...) times 0 with probability `rate`, else 1 / (1 - rate); `rate` in steps of 2^-16.
// Masks are made on the CPU. A rate of 0 returns x.
// Requires: context.sample_ids.
at::Tensor dropout(const at::Tensor& x,
                   double rate,
                   const ForwardContext& context,
                   std::int64_t site);

}  // namespace lockstep::models
