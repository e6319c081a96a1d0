// Element types and reductions of collectives.
#pragma once

#include <cstddef>

namespace lockstep::comm {

enum class DType { kU8, kI32, kI64, kF16, kBF16, kF32, kF64 };
enum class ReduceOp { kSum, kMin, kMax };

constexpr std::size_t size_bytes(DType type) {
  switch (type) {
    case DType::kU8:
      return 1;
    case DType::kF16:
    case DType::kBF16:
      return 2;
    case DType::kI32:
    case DType::kF32:
      return 4;
    case DType::kI64:
    case DType::kF64:
      return 8;
  }
  return 0;
}

}  // namespace lockstep::comm
