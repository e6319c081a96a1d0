// Position embeddings for another grid of patches.
#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/models/vit.h>

#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/cat.h>

#include <cmath>

namespace lockstep::models {
namespace {

constexpr std::int64_t kNumPrefixTokens = 1;

// The side of a square grid; -1 where `count` is no square.
std::int64_t side_of(std::int64_t count) {
  const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(count))));
  return count > 0 && side * side == count ? side : -1;
}

}  // namespace

at::Tensor resize_positions(const at::Tensor& positions,
                            std::int64_t new_grid,
                            std::int64_t num_prefix_tokens) {
  const std::int64_t width = positions.size(-1);
  const std::int64_t count = positions.size(1) - num_prefix_tokens;
  const std::int64_t grid = side_of(count);
  if (grid < 0) {
    throw data_error(
        format("{} position embeddings beside {} prefix tokens are no square grid: "
               "give weights of a square model",
               count,
               num_prefix_tokens));
  }
  if (grid == new_grid) return positions;
  const at::Tensor old_grid = positions.narrow(1, num_prefix_tokens, count)
                                  .to(at::kFloat)
                                  .reshape({1, grid, grid, width})
                                  .permute({0, 3, 1, 2});  // (1, D, g, g)
  const at::Tensor resized =
      at::_upsample_bicubic2d_aa(old_grid, {new_grid, new_grid}, /*align_corners=*/false)
          .permute({0, 2, 3, 1})
          .reshape({1, new_grid * new_grid, width})
          .to(positions.scalar_type());
  return at::cat({positions.narrow(1, 0, num_prefix_tokens), resized}, 1);
}

at::Tensor resize_positions_like(const at::Tensor& from, const at::Tensor& to) {
  if (from.dim() != 3 || to.dim() != 3 || from.size(0) != 1 || from.size(2) != to.size(2)) {
    return {};
  }
  const std::int64_t grid = side_of(to.size(1) - kNumPrefixTokens);
  if (grid < 0 || side_of(from.size(1) - kNumPrefixTokens) < 0) return {};
  return resize_positions(from, grid, kNumPrefixTokens);
}

}  // namespace lockstep::models
