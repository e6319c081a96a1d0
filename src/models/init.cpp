// First values of parameters. Knows nothing of layers.
#include "models/init.h"

#include <lockstep/base/random.h>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace lockstep::models {
namespace {

constexpr std::int64_t kGrain = 1 << 14;

// The middle of one of 2^32 equal parts of (0, 1): never 0 or 1.
double open_unit(std::uint32_t word) { return (static_cast<double>(word) + 0.5) * 0x1.0p-32; }

// Fills a new tensor four values at a time: `make` maps four random words to four values.
template <class Make>
at::Tensor fill(at::IntArrayRef shape, std::uint64_t seed, std::uint64_t stream, const Make& make) {
  at::Tensor values = at::empty(shape, at::kFloat);
  const std::int64_t count = values.numel();
  float* out = values.mutable_data_ptr<float>();
  at::parallel_for(0, (count + 3) / 4, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      const std::array<double, 4> four =
          make(philox(seed, static_cast<std::uint64_t>(block), stream));
      const std::int64_t left = std::min<std::int64_t>(4, count - 4 * block);
      for (std::int64_t i = 0; i < left; ++i) {
        out[4 * block + i] = static_cast<float>(four[static_cast<std::size_t>(i)]);
      }
    }
  });
  return values;
}

}  // namespace

at::Tensor Initializer::normal(at::IntArrayRef shape, double std) {
  return fill(shape, seed_, next_stream_++, [std](const std::array<std::uint32_t, 4>& words) {
    std::array<double, 4> four{};
    for (std::size_t i = 0; i < 4; i += 2) {
      const double radius = std * std::sqrt(-2.0 * std::log(open_unit(words[i])));
      const double angle = 2.0 * std::numbers::pi * open_unit(words[i + 1]);
      four[i] = radius * std::cos(angle);
      four[i + 1] = radius * std::sin(angle);
    }
    return four;
  });
}

at::Tensor Initializer::uniform(at::IntArrayRef shape, double bound) {
  return fill(shape, seed_, next_stream_++, [bound](const std::array<std::uint32_t, 4>& words) {
    std::array<double, 4> four{};
    for (std::size_t i = 0; i < 4; ++i) four[i] = bound * (2.0 * open_unit(words[i]) - 1.0);
    return four;
  });
}

}  // namespace lockstep::models
