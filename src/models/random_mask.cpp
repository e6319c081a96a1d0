// Masks of stochastic depth and dropout. Knows nothing of layers: a site is a number.
#include "models/random_mask.h"

#include <lockstep/base/error.h>
#include <lockstep/base/random.h>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace lockstep::models {
namespace {

constexpr double kParts = 65536;      // a dropout rate is rounded to these
constexpr std::size_t kPerBlock = 8;  // 16-bit parts of one Philox block
constexpr std::int64_t kSitesPerStep = 1 << 20;

std::array<std::uint32_t, 4> sample_words(const ForwardContext& context,
                                          std::int64_t site,
                                          std::int64_t sample_id) {
  const std::int64_t place = context.step * kSitesPerStep + site;
  return philox(
      context.seed, static_cast<std::uint64_t>(sample_id), static_cast<std::uint64_t>(place));
}

const std::int64_t* ids_of(const ForwardContext& context) {
  LOCKSTEP_CHECK(context.sample_ids.defined() && context.sample_ids.device().is_cpu() &&
                     context.sample_ids.scalar_type() == at::kLong &&
                     context.sample_ids.is_contiguous(),
                 "dropout and drop_path in training need ForwardContext::sample_ids on the CPU");
  return context.sample_ids.const_data_ptr<std::int64_t>();
}

// One sample's elements: eight to a block of the sample's own key.
void fill_mask(std::uint64_t key, std::uint32_t threshold, float scale, std::span<float> out) {
  for (std::size_t at = 0; at < out.size(); at += kPerBlock) {
    const std::array<std::uint32_t, 4> words = philox(key, at / kPerBlock, 0);
    std::array<float, kPerBlock> values{};
    for (std::size_t i = 0; i < kPerBlock; ++i) {
      const std::uint32_t part = (words[i / 2] >> (16 * (i % 2))) & 0xFFFF;
      values[i] = part < threshold ? 0.0F : scale;
    }
    const std::size_t left = std::min(kPerBlock, out.size() - at);
    std::copy_n(values.begin(), left, out.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

}  // namespace

at::Tensor drop_path_factors(const ForwardContext& context,
                             const std::vector<double>& rates,
                             std::int64_t first_site,
                             at::Device device) {
  const std::int64_t* ids = ids_of(context);
  const std::int64_t batch = context.sample_ids.numel();
  const auto num_branches = static_cast<std::int64_t>(rates.size());
  at::Tensor factors = at::empty({num_branches, batch, 1, 1}, at::kFloat);
  float* out = factors.mutable_data_ptr<float>();
  for (std::int64_t branch = 0; branch < num_branches; ++branch) {
    const double rate = rates[static_cast<std::size_t>(branch)];
    const auto keep = static_cast<float>(1.0 / (1.0 - rate));
    for (std::int64_t i = 0; i < batch; ++i) {
      const std::uint32_t word = sample_words(context, first_site + branch, ids[i])[2];
      *out++ = static_cast<double>(word) * 0x1.0p-32 < rate ? 0.0F : keep;
    }
  }
  return factors.to(device, /*non_blocking=*/true);
}

at::Tensor dropout(const at::Tensor& x,
                   double rate,
                   const ForwardContext& context,
                   std::int64_t site) {
  const auto threshold = static_cast<std::uint32_t>(std::lround(rate * kParts));
  if (threshold == 0) return x;
  const std::int64_t* ids = ids_of(context);
  const std::int64_t batch = x.size(0);
  LOCKSTEP_CHECK(context.sample_ids.numel() == batch, "one sample id for each image");
  const auto scale = static_cast<float>(kParts / (kParts - threshold));
  at::Tensor mask = at::empty(x.sizes(), at::kFloat);
  float* out = mask.mutable_data_ptr<float>();
  const std::int64_t per_sample = x.numel() / batch;
  at::parallel_for(0, batch, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::array<std::uint32_t, 4> words = sample_words(context, site, ids[i]);
      const std::uint64_t key = words[0] | (std::uint64_t{words[1]} << 32);
      fill_mask(
          key, threshold, scale, {out + i * per_sample, static_cast<std::size_t>(per_sample)});
    }
  });
  return x * mask.to(x.options(), /*non_blocking=*/true);
}

}  // namespace lockstep::models
