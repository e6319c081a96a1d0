#include "digest_words.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>

namespace lockstep::parallel {

at::Tensor digest_by_ops(const at::Tensor& words) {
  const std::int64_t count = words.numel();
  const std::int64_t rows = (count + kDigestRowWords - 1) / kDigestRowWords;
  const std::int64_t whole = count / kDigestRowWords;
  const auto wide = words.options().dtype(at::kLong);
  at::Tensor sums = at::zeros({rows}, wide);
  // Words count as unsigned: a negative one is 2^32 more.
  const auto sum_rows = [](const at::Tensor& part) {  // (r, w) i32 -> (r) i64
    return part.sum(1, false, at::kLong) + part.lt(0).sum(1, false, at::kLong) * (1LL << 32);
  };
  if (whole > 0) {
    sums.narrow(0, 0, whole)
        .copy_(
            sum_rows(words.narrow(0, 0, whole * kDigestRowWords).view({whole, kDigestRowWords})));
  }
  if (rows > whole) {
    const std::int64_t rest = count - whole * kDigestRowWords;
    sums.narrow(0, whole, 1)
        .copy_(sum_rows(words.narrow(0, whole * kDigestRowWords, rest).view({1, rest})));
  }
  const at::Tensor weights = at::arange(rows, wide) * 2 + 1;
  return (sums * weights).sum();
}

}  // namespace lockstep::parallel
