#include "reduce.h"

#include "half.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace lockstep::comm {
namespace {

// Elements summed at a time: the accumulator stays in the first-level cache.
constexpr std::size_t kBlock = 2048;
// For 2^12 sources and more than any host has.
constexpr std::size_t kMaxLevels = 13;

template <class T>
struct Plain {
  using Stored = T;
  using Sum = T;
  static Sum load(Stored value) { return value; }
  static Stored store(Sum value) { return value; }
};

struct Half {
  using Stored = std::uint16_t;
  using Sum = float;
  static Sum load(Stored value) { return float_from_f16(value); }
  static Stored store(Sum value) { return f16_from_float(value); }
};

struct BFloat {
  using Stored = std::uint16_t;
  using Sum = float;
  static Sum load(Stored value) { return float_from_bf16(value); }
  static Stored store(Sum value) { return bf16_from_float(value); }
};

template <ReduceOp op, class T>
T combine(T a, T b) {
  if constexpr (op == ReduceOp::kSum) {
    return static_cast<T>(a + b);
  } else if constexpr (op == ReduceOp::kMin) {
    return b < a ? b : a;
  } else {
    return a < b ? b : a;
  }
}

// Sums of a block on their way up the tree: one row a level, enough for any number of ranks.
template <class Sum>
using Levels = std::array<std::array<Sum, kBlock>, kMaxLevels>;

// Leaves the reduction of sources[...][begin, begin + size) in the first level. Neighbours are
// combined first: ((0 1) (2 3)) (4 5) ….
template <class Kind, ReduceOp op>
void climb(std::span<const void* const> sources,
           std::size_t begin,
           std::size_t size,
           Levels<typename Kind::Sum>& levels) {
  using Stored = typename Kind::Stored;
  std::size_t height = 0;  // levels in use
  const auto merge = [&levels, &height, size] {
    --height;
    auto& left = levels[height - 1];
    const auto& right = levels[height];
    for (std::size_t i = 0; i < size; ++i) left[i] = combine<op>(left[i], right[i]);
  };
  for (std::size_t s = 0; s < sources.size(); ++s) {
    const auto* next = static_cast<const Stored*>(sources[s]) + begin;
    if (s % 2 == 0) {
      auto& level = levels[height++];
      for (std::size_t i = 0; i < size; ++i) level[i] = Kind::load(next[i]);
      continue;
    }
    auto& level = levels[height - 1];
    for (std::size_t i = 0; i < size; ++i) level[i] = combine<op>(level[i], Kind::load(next[i]));
    for (std::size_t done = (s + 1) / 2; done % 2 == 0; done /= 2) merge();
  }
  while (height > 1) merge();
}

template <class Kind, ReduceOp op>
void reduce_blocks(std::span<const void* const> sources,
                   std::span<void* const> targets,
                   std::size_t count) {
  using Stored = typename Kind::Stored;
  Levels<typename Kind::Sum> levels;
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t size = std::min(kBlock, count - begin);
    climb<Kind, op>(sources, begin, size, levels);
    for (void* target : targets) {
      auto* out = static_cast<Stored*>(target) + begin;
      for (std::size_t i = 0; i < size; ++i) out[i] = Kind::store(levels[0][i]);
    }
  }
}

template <class Kind>
void reduce_kind(std::span<const void* const> sources,
                 std::span<void* const> targets,
                 std::size_t count,
                 ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return reduce_blocks<Kind, ReduceOp::kSum>(sources, targets, count);
    case ReduceOp::kMin:
      return reduce_blocks<Kind, ReduceOp::kMin>(sources, targets, count);
    case ReduceOp::kMax:
      return reduce_blocks<Kind, ReduceOp::kMax>(sources, targets, count);
  }
}

}  // namespace

void reduce_to_all(std::span<const void* const> sources,
                   std::span<void* const> targets,
                   std::size_t count,
                   DType type,
                   ReduceOp op) {
  switch (type) {
    case DType::kU8:
      return reduce_kind<Plain<std::uint8_t>>(sources, targets, count, op);
    case DType::kI32:
      return reduce_kind<Plain<std::int32_t>>(sources, targets, count, op);
    case DType::kI64:
      return reduce_kind<Plain<std::int64_t>>(sources, targets, count, op);
    case DType::kF16:
      return reduce_kind<Half>(sources, targets, count, op);
    case DType::kBF16:
      return reduce_kind<BFloat>(sources, targets, count, op);
    case DType::kF32:
      return reduce_kind<Plain<float>>(sources, targets, count, op);
    case DType::kF64:
      return reduce_kind<Plain<double>>(sources, targets, count, op);
  }
}

void reduce_in_order(
    std::span<const void* const> sources, void* to, std::size_t count, DType type, ReduceOp op) {
  reduce_to_all(sources, std::span(&to, 1), count, type, op);
}

}  // namespace lockstep::comm
