#include "window_exchange.h"

#include "backoff.h"
#include "reduce.h"
#include "slices.h"

#include <lockstep/base/clock.h>
#include <lockstep/base/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace lockstep::comm {
namespace {

const char* verb_text(WindowVerb verb) {
  switch (verb) {
    case WindowVerb::kAllReduce:
      return "all-reduce";
    case WindowVerb::kReduceScatter:
      return "reduce-scatter";
    case WindowVerb::kAllGather:
      return "all-gather";
  }
  return "collective";
}

const char* type_text(DType type) {
  switch (type) {
    case DType::kU8:
      return "u8";
    case DType::kI32:
      return "i32";
    case DType::kI64:
      return "i64";
    case DType::kF16:
      return "fp16";
    case DType::kBF16:
      return "bf16";
    case DType::kF32:
      return "fp32";
    case DType::kF64:
      return "fp64";
  }
  return "unknown";
}

const char* op_text(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return "sum";
    case ReduceOp::kMin:
      return "minimum";
    case ReduceOp::kMax:
      return "maximum";
  }
  return "unknown";
}

std::string text_of(const WindowTicket& ticket) {
  return format("{} ({}) of {} {} at byte {} of memory {}",
                verb_text(ticket.verb),
                op_text(ticket.op),
                ticket.count,
                type_text(ticket.type),
                ticket.offset,
                ticket.piece);
}

WindowTicket ticket_of(const WindowCall& call) {
  return {call.verb, call.type, call.op, call.count, call.place.piece, call.place.offset};
}

}  // namespace

WindowExchange::WindowExchange(std::span<WindowRow> board,
                               const PieceRegistry& pieces,
                               std::unique_ptr<Group> across,
                               WindowOptions options)
    : board_(board), pieces_(pieces), across_(std::move(across)), options_(std::move(options)) {}

std::uint64_t WindowExchange::least(std::atomic<std::uint64_t> WindowRow::*counter) const {
  std::uint64_t result = std::numeric_limits<std::uint64_t>::max();
  for (const WindowRow& row : board_) {
    result = std::min(result, (row.*counter).load(std::memory_order_acquire));
  }
  return result;
}

std::shared_ptr<WindowOperation> WindowExchange::post(const WindowCall& call) {
  auto operation = std::make_shared<WindowOperation>();
  operation->call = call;
  operation->start_s = now_s();
  const std::lock_guard lock(mutex_);
  if (!failure_) wait_for_ticket();
  if (failure_) {
    operation->state = WindowOperation::kFailed;
    return operation;
  }
  operation->number = next_++;
  active_.push_back(operation);
  WindowRow& own = board_[static_cast<std::size_t>(options_.local_rank)];
  own.tickets[operation->number % kNumTickets] = ticket_of(call);
  own.posted.store(next_, std::memory_order_release);
  advance_locked();
  return operation;
}

// A ticket may be overwritten when every peer did its share of the collective it belongs to.
void WindowExchange::wait_for_ticket() {
  Backoff backoff(options_.spin);
  while (!failure_ && next_ - least(&WindowRow::shared) >= kNumTickets) {
    advance_locked();
    backoff.pause();
  }
}

void WindowExchange::advance() {
  const std::lock_guard lock(mutex_);
  if (!failure_) advance_locked();
}

void WindowExchange::wait(const WindowOperation& operation) {
  Backoff backoff(options_.spin);
  while (true) {
    advance();
    if (operation.finished()) break;
    backoff.pause();
  }
  if (operation.state != WindowOperation::kFailed) return;
  const std::lock_guard lock(mutex_);
  throw Error(*failure_);
}

void WindowExchange::advance_locked() {
  try {
    const std::uint64_t num_posted = least(&WindowRow::posted);
    for (const auto& operation : active_) {
      if (operation->number >= num_posted) break;
      if (operation->number < num_begun_) continue;
      do_share(*operation);
      num_begun_ = operation->number + 1;
    }
    for (const auto& operation : active_) {
      if (operation->number >= num_begun_) break;
      if (operation->number < num_shared_) continue;
      if (operation->across) {
        if (!operation->across->done()) break;
        operation->across->wait({});
        spread(*operation);
        operation->across.reset();
      }
      num_shared_ = operation->number + 1;
    }
    board_[static_cast<std::size_t>(options_.local_rank)].shared.store(num_shared_,
                                                                       std::memory_order_release);
    const std::uint64_t num_complete = least(&WindowRow::shared);
    while (!active_.empty() && active_.front()->number < num_complete) {
      active_.front()->end_s = now_s();
      active_.front()->state.store(WindowOperation::kDone, std::memory_order_release);
      active_.pop_front();
    }
    check_time();
  } catch (...) {
    fail(current_error());
  }
}

void WindowExchange::check_time() const {
  if (active_.empty() || now_s() - active_.front()->start_s <= options_.timeout_s) return;
  const WindowCall& call = active_.front()->call;
  const std::string text =
      operation_text(verb_text(call.verb), call.count * size_bytes(call.type), options_.place);
  throw Error(ExitCode::kPeerLost, late_text(text, options_.timeout_s));
}

void WindowExchange::check_tickets(const WindowOperation& operation) const {
  const std::size_t slot = operation.number % kNumTickets;
  const WindowTicket own = ticket_of(operation.call);
  for (std::size_t rank = 0; rank < board_.size(); ++rank) {
    const WindowTicket& peer = board_[rank].tickets[slot];
    if (peer == own) continue;
    throw internal_error(
        format("collective {} of the {} group: local rank {} wants {}, and local rank {} {}; all "
               "ranks make "
               "the same calls in the same order",
               operation.number,
               options_.place.name,
               options_.local_rank,
               text_of(own),
               rank,
               text_of(peer)));
  }
}

void WindowExchange::do_share(WindowOperation& operation) {
  check_tickets(operation);
  switch (operation.call.verb) {
    case WindowVerb::kAllReduce:
      return reduce_slice(operation);
    case WindowVerb::kReduceScatter:
      return reduce_scatter(operation);
    case WindowVerb::kAllGather:
      return gather(operation);
  }
}

void WindowExchange::reduce_slice(WindowOperation& operation) {
  const WindowCall& call = operation.call;
  const Slices slices = aligned_slices(call.count, local_size());
  const std::size_t count = slices.size(options_.local_rank);
  const std::size_t begin = slices.begin(options_.local_rank) * size_bytes(call.type);
  targets_.clear();
  for (int rank = 0; rank < local_size(); ++rank) {
    targets_.push_back(pieces_.at(call.place, rank) + begin);
  }
  sources_.assign(targets_.begin(), targets_.end());
  if (!across_) return reduce_to_all(sources_, targets_, count, call.type, call.op);
  void* const own = targets_[static_cast<std::size_t>(options_.local_rank)];
  reduce_in_order(sources_, own, count, call.type, call.op);
  operation.across = across_->all_reduce_async(own, count, call.type, call.op, {});
}

// The slice's sum over all hosts, to the others of this host.
void WindowExchange::spread(const WindowOperation& operation) const {
  const WindowCall& call = operation.call;
  const Slices slices = aligned_slices(call.count, local_size());
  const std::size_t bytes = slices.size(options_.local_rank) * size_bytes(call.type);
  const std::size_t begin = slices.begin(options_.local_rank) * size_bytes(call.type);
  const std::byte* const own = pieces_.at(call.place, options_.local_rank) + begin;
  for (int rank = 0; rank < local_size(); ++rank) {
    if (rank != options_.local_rank) std::memcpy(pieces_.at(call.place, rank) + begin, own, bytes);
  }
}

void WindowExchange::reduce_scatter(const WindowOperation& operation) {
  const WindowCall& call = operation.call;
  const std::size_t begin =
      static_cast<std::size_t>(options_.local_rank) * call.count * size_bytes(call.type);
  sources_.clear();
  for (int rank = 0; rank < local_size(); ++rank) {
    sources_.push_back(pieces_.at(call.place, rank) + begin);
  }
  reduce_in_order(sources_, call.out, call.count, call.type, call.op);
}

void WindowExchange::gather(const WindowOperation& operation) const {
  const WindowCall& call = operation.call;
  const std::size_t bytes = call.count * size_bytes(call.type);
  const std::size_t begin = static_cast<std::size_t>(options_.local_rank) * bytes;
  for (int rank = 0; rank < local_size(); ++rank) {
    std::byte* const to = pieces_.at(call.place, rank) + begin;
    if (to != call.in) std::memcpy(to, call.in, bytes);
  }
}

void WindowExchange::fail(const Error& error) {
  failure_ = error;
  options_.on_failure(error);
  for (const auto& operation : active_) {
    operation->end_s = now_s();
    operation->state.store(WindowOperation::kFailed, std::memory_order_release);
  }
  active_.clear();
}

}  // namespace lockstep::comm
