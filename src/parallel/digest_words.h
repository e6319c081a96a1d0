// How words become a digest, on the host and on a device alike.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace lockstep::parallel {

// Words are summed in rows; rows have different odd weights, so that words cannot change places
// between rows unseen, and no bit gets lost.
inline constexpr std::int64_t kDigestRowWords = 4096;
constexpr std::uint64_t digest_weight(std::int64_t row) {
  return 2 * static_cast<std::uint64_t>(row) + 1;
}

// words (n) i32, taken as unsigned, on any device: () i64 there by LibTorch's operations; the same
// 64 bits as the host's loop. Requires: n > 0.
at::Tensor digest_by_ops(const at::Tensor& words);

}  // namespace lockstep::parallel
