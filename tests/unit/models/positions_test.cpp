#include "small_model.h"

#include <lockstep/base/error.h>

#include <gtest/gtest.h>

namespace lockstep::models {
namespace {

TEST(Positions, TheSameGridIsLeftAlone) {
  const at::Tensor positions = at::randn({1, 17, 8});
  EXPECT_TRUE(at::equal(resize_positions(positions, 4, 1), positions));
}

TEST(Positions, PrefixTokensAreKeptAndConstantsStayConstant) {
  const at::Tensor grid = at::full({1, 16, 8}, 2.5F);
  const at::Tensor positions = at::cat({at::randn({1, 2, 8}), grid}, 1);
  const at::Tensor resized = resize_positions(positions, 7, 2);
  EXPECT_EQ(resized.sizes(), (at::IntArrayRef{1, 51, 8}));
  EXPECT_TRUE(at::equal(resized.narrow(1, 0, 2), positions.narrow(1, 0, 2)));
  EXPECT_LT(max_abs(resized.narrow(1, 2, 49) - 2.5), 1e-5);
}

TEST(Positions, RowsAndColumnsAreNotExchanged) {
  // Value = row number: each resized row must be constant, and rows must grow.
  const at::Tensor rows = at::arange(4, at::kFloat).repeat_interleave(4).reshape({1, 16, 1});
  const at::Tensor resized = resize_positions(at::cat({at::zeros({1, 1, 1}), rows}, 1), 8, 1)
                                 .narrow(1, 1, 64)
                                 .reshape({8, 8});
  EXPECT_LT(max_abs(resized - resized.narrow(1, 0, 1)), 1e-5);
  EXPECT_GT((resized[7][0] - resized[0][0]).item<double>(), 2.5);
}

TEST(Positions, OfNoSquareGridAreRefused) {
  EXPECT_THROW(resize_positions(at::randn({1, 16, 8}), 4, 1), Error);
}

TEST(Positions, LikeAnotherParameter) {
  const at::Tensor from = at::randn({1, 17, 8});
  EXPECT_EQ(resize_positions_like(from, at::empty({1, 26, 8})).size(1), 26);
  EXPECT_FALSE(resize_positions_like(from, at::empty({1, 26, 4})).defined());
  EXPECT_FALSE(resize_positions_like(from, at::empty({1, 27, 8})).defined());
  EXPECT_FALSE(resize_positions_like(at::randn({10, 8}), at::empty({5, 8})).defined());
}

}  // namespace
}  // namespace lockstep::models
