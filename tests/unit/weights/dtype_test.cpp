#include "weights/dtype.h"

#include <gtest/gtest.h>

#include <vector>

namespace lockstep::weights {
namespace {

TEST(DType, NamesComeBack) {
  for (int i = 0; i < 15; ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(find_dtype(dtype_name(dtype)), dtype);
  }
  EXPECT_FALSE(find_dtype("F31"));
  EXPECT_FALSE(find_dtype("f32"));
}

TEST(DType, SizesAndOverflow) {
  const auto size = [](std::vector<std::int64_t> shape) {
    return tensor_size_bytes(DType::kF32, shape);
  };
  EXPECT_EQ(size({}), 4U);
  EXPECT_EQ(size({2, 3}), 24U);
  EXPECT_EQ(size({2, 0}), 0U);
  EXPECT_FALSE(size({-1}));
  EXPECT_FALSE(size({INT64_MAX, 2}));
  EXPECT_FALSE(size({std::int64_t{1} << 32, std::int64_t{1} << 32}));
  EXPECT_FALSE(size({0, std::int64_t{1} << 62, 4}));
  EXPECT_FALSE(size({std::int64_t{1} << 61}));
}

}  // namespace
}  // namespace lockstep::weights
