// Names and sizes of the number types of safetensors files.
#include "weights/dtype.h"

#include <lockstep/base/error.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace lockstep::weights {
namespace {

struct Row {
  DType dtype;
  std::string_view name;
  std::uint64_t size_bytes;
};

constexpr std::array<Row, 15> kRows{{{DType::kBool, "BOOL", 1},
                                     {DType::kU8, "U8", 1},
                                     {DType::kI8, "I8", 1},
                                     {DType::kF8E4M3, "F8_E4M3", 1},
                                     {DType::kF8E5M2, "F8_E5M2", 1},
                                     {DType::kI16, "I16", 2},
                                     {DType::kU16, "U16", 2},
                                     {DType::kF16, "F16", 2},
                                     {DType::kBF16, "BF16", 2},
                                     {DType::kI32, "I32", 4},
                                     {DType::kU32, "U32", 4},
                                     {DType::kF32, "F32", 4},
                                     {DType::kF64, "F64", 8},
                                     {DType::kI64, "I64", 8},
                                     {DType::kU64, "U64", 8}}};

const Row& row_of(DType dtype) {
  for (const Row& row : kRows) {
    if (row.dtype == dtype) return row;
  }
  throw internal_error("a dtype without a row");
}

}  // namespace

std::string_view dtype_name(DType dtype) { return row_of(dtype).name; }

std::uint64_t dtype_size_bytes(DType dtype) { return row_of(dtype).size_bytes; }

std::optional<DType> find_dtype(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> tensor_size_bytes(DType dtype, std::span<const std::int64_t> shape) {
  // An extent of 0 counts as 1, so that no order of extents hides an overflow.
  std::uint64_t size = dtype_size_bytes(dtype);
  bool empty = false;
  for (const std::int64_t extent : shape) {
    if (extent < 0) return std::nullopt;
    empty = empty || extent == 0;
    const auto factor = static_cast<std::uint64_t>(std::max<std::int64_t>(extent, 1));
    if (__builtin_mul_overflow(size, factor, &size)) return std::nullopt;
  }
  if (size > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  return empty ? 0 : size;
}

}  // namespace lockstep::weights
