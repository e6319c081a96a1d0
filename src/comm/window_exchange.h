// Collectives of the ranks of one host on memory that all of them map, and, through a group across
// hosts, of all ranks. Each rank reduces one slice straight from the memory of the others, in a
// fixed tree, and writes the sum back to all: no copy, no message, the same bits on every rank.
// There is no thread: whoever posts, looks or waits does the work that has become possible.
#pragma once

#include "group_place.h"
#include "shared_pieces.h"
#include "window_board.h"

#include <lockstep/base/error.h>
#include <lockstep/comm/group.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace lockstep::comm {

struct WindowCall {
  WindowVerb verb = WindowVerb::kAllReduce;
  DType type = DType::kF32;
  ReduceOp op = ReduceOp::kSum;
  std::size_t count = 0;  // elements: of the buffer (all-reduce), of one rank's slice (others)
  // What the peers see: the buffer (all-reduce), `in` (reduce-scatter), `out` (all-gather).
  SharedPlace place;
  const std::byte* in = nullptr;  // all-gather
  std::byte* out = nullptr;       // reduce-scatter
};

// One collective on its way.
struct WindowOperation {
  static constexpr int kPending = 0;
  static constexpr int kDone = 1;
  static constexpr int kFailed = 2;

  std::uint64_t number = 0;
  WindowCall call;
  double start_s = 0;
  double end_s = 0;
  std::unique_ptr<Work> across;  // this rank's slice on its way between hosts
  std::atomic<int> state{kPending};

  bool finished() const { return state.load(std::memory_order_acquire) != kPending; }
};

struct WindowOptions {
  GroupPlace place;  // in the whole group
  int local_rank = 0;
  bool spin = true;  // every rank of this host has a core of its own
  double timeout_s = 600;
  // Told once, before the first operation fails.
  std::function<void(const Error&)> on_failure = [](const Error&) {};
};

// Thread: any.
class WindowExchange {
 public:
  // `board` holds a row for each rank of the host. `across` joins the ranks of this local rank of
  // all hosts; null on one host. All must outlive this.
  WindowExchange(std::span<WindowRow> board,
                 const PieceRegistry& pieces,
                 std::unique_ptr<Group> across,
                 WindowOptions options);

  std::shared_ptr<WindowOperation> post(const WindowCall& call);
  // Does what has become possible. Never blocks.
  void advance();
  // Blocks. Throws: Error(kPeerLost), Error(kInternal) when ranks posted different collectives.
  void wait(const WindowOperation& operation);

 private:
  using Operations = std::deque<std::shared_ptr<WindowOperation>>;

  int local_size() const { return static_cast<int>(board_.size()); }
  std::uint64_t least(std::atomic<std::uint64_t> WindowRow::*counter) const;
  void wait_for_ticket();
  void advance_locked();
  void check_time() const;
  void check_tickets(const WindowOperation& operation) const;
  void do_share(WindowOperation& operation);
  void reduce_slice(WindowOperation& operation);
  void reduce_scatter(const WindowOperation& operation);
  void gather(const WindowOperation& operation) const;
  void spread(const WindowOperation& operation) const;
  void fail(const Error& error);

  const std::span<WindowRow> board_;
  const PieceRegistry& pieces_;
  const std::unique_ptr<Group> across_;
  const WindowOptions options_;
  std::mutex mutex_;  // guards all below
  std::uint64_t next_ = 0;
  std::uint64_t num_begun_ = 0;   // operations whose peers were all there
  std::uint64_t num_shared_ = 0;  // operations that this rank did its share of
  Operations active_;
  std::optional<Error> failure_;
  // Of the slice at hand; members, so that no step allocates them.
  std::vector<void*> targets_;
  std::vector<const void*> sources_;
};

}  // namespace lockstep::comm
