// The board of a group on shared memory: what each rank posted and how far it is. Lies in memory
// that all ranks of the host map, zeroed before any of them comes; one writer a row.
#pragma once

#include <lockstep/comm/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace lockstep::comm {

enum class WindowVerb : std::uint8_t { kAllReduce, kReduceScatter, kAllGather };

// What a rank says of a collective; equal on all ranks, or the program is wrong.
struct WindowTicket {
  WindowVerb verb = WindowVerb::kAllReduce;
  DType type = DType::kF32;
  ReduceOp op = ReduceOp::kSum;
  std::uint64_t count = 0;
  std::uint64_t piece = 0;  // SharedPlace of the memory that the peers see
  std::uint64_t offset = 0;

  bool operator==(const WindowTicket&) const = default;
};

inline constexpr std::size_t kNumTickets = 512;
// Two cache lines: processors fetch lines in pairs.
inline constexpr std::size_t kBoardAlign = 128;

struct alignas(kBoardAlign) WindowRow {
  // Collectives handed in by this rank; tickets of the last kNumTickets of them are readable.
  std::atomic<std::uint64_t> posted;
  // Collectives of which this rank did its share: what the peers read of it is there.
  alignas(kBoardAlign) std::atomic<std::uint64_t> shared;
  alignas(kBoardAlign) std::array<WindowTicket, kNumTickets> tickets;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace lockstep::comm
