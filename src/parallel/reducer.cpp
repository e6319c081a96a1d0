#include "gradient_hooks.h"
#include "wire.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/parallel/reducer.h>
#include <lockstep/parallel/shard.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>

namespace lockstep::parallel {
namespace {

enum class Phase {
  kIdle,          // hooks do nothing: between steps, and after abandon()
  kAccumulating,  // an earlier micro-batch
  kReducing,      // the last micro-batch: full buckets go out
};

// Enters a bin while there is a ledger.
class OptionalSpan {
 public:
  OptionalSpan(telemetry::Ledger* ledger, telemetry::Bin bin) {
    if (ledger != nullptr) span_.emplace(*ledger, bin);
  }

 private:
  std::optional<telemetry::Span> span_;
};

}  // namespace

struct Reducer::State {
  State(comm::Group& group_in, optim::Arena& arena_in, const BucketPlan& plan_in)
      : group(group_in),
        arena(arena_in),
        plan(plan_in),
        backend(arena_in.device().is_cuda() ? gpu::cuda_backend() : gpu::host_backend()),
        base(arena_in.gradients().mutable_data_ptr<float>()),
        bucket_of(arena_in.named().size()),
        fired(arena_in.named().size()) {
    index_buckets();
  }

  // The stats slots travel in a collective of their own, not with the last bucket.
  bool stats_apart() const { return wire || !owned.empty(); }
  void index_buckets();
  void keep_mapped();
  void start_reducing();
  void on_gradient(std::size_t parameter);
  void mark_ready(std::size_t parameter);
  void issue_full(std::size_t limit);
  void issue_next();
  void reduce(void* buffer, std::int64_t count, comm::DType type);
  void reduce_scatter(void* buffer, std::int64_t count, comm::DType type);
  optim::Range summed(std::size_t b) const;
  void receive(std::size_t b, std::vector<std::unique_ptr<comm::Work>>& sent);
  void issue_all();
  void harvest();

  comm::Group& group;
  optim::Arena& arena;
  BucketPlan plan;
  gpu::Backend& backend;
  float* base;
  std::optional<Wire> wire;            // none: gradients go as they are
  std::vector<optim::Range> owned;     // sharded: by bucket; else empty
  std::vector<std::size_t> bucket_of;  // by parameter
  std::function<void(std::int64_t, std::int64_t)> callback;

  std::mutex mutex;  // hooks may fire on one autograd thread a device
  Phase phase = Phase::kIdle;
  std::vector<bool> fired;                         // by parameter, in the reducing backward
  std::vector<std::size_t> missing;                // by bucket: parameters that have not fired
  std::size_t next = 0;                            // first bucket that was not issued
  std::vector<std::unique_ptr<comm::Work>> works;  // of this step, in plan order
  std::vector<std::shared_ptr<void>> mapped;       // memory that buckets move
  std::vector<std::unique_ptr<comm::Work>> past;   // waited for on a stream, perhaps still running
  std::exception_ptr hook_error;
  ReducerCounters counters;
  std::unique_ptr<GradientHooks> hooks;  // last: goes first
};

void Reducer::State::index_buckets() {
  missing.resize(plan.buckets.size());
  for (std::size_t b = 0; b < plan.buckets.size(); ++b) {
    for (const std::int64_t p : plan.buckets[b].parameters) {
      bucket_of[static_cast<std::size_t>(p)] = b;
    }
  }
}

void Reducer::State::keep_mapped() {
  const auto keep = [this](const at::Tensor& memory) {
    mapped.push_back(group.keep_mapped(memory.data_ptr(), memory.nbytes()));
  };
  keep(wire ? wire->memory() : arena.gradients());
  if (!owned.empty()) keep(arena.parameters());
}

void Reducer::State::start_reducing() {
  phase = Phase::kReducing;
  next = 0;
  fired.assign(fired.size(), false);
  for (std::size_t b = 0; b < missing.size(); ++b) missing[b] = plan.buckets[b].parameters.size();
  if (wire) wire->begin_step();
}

void Reducer::State::on_gradient(std::size_t parameter) {
  const std::lock_guard lock(mutex);
  if (phase != Phase::kReducing) return;
  try {
    mark_ready(parameter);
  } catch (...) {
    // Autograd hands it to backward()'s caller; kept too, in case that one looks away.
    hook_error = std::current_exception();
    throw;
  }
}

void Reducer::State::mark_ready(std::size_t parameter) {
  if (fired[parameter]) {
    throw internal_error(
        format("{} got its gradient twice in the reduced backward pass; call begin_micro(false) "
               "before every backward() but the last",
               arena.named()[parameter].name));
  }
  fired[parameter] = true;
  missing[bucket_of[parameter]] -= 1;
  const std::size_t before = next;
  issue_full(plan.buckets.size() - 1);
  counters.early_buckets += static_cast<std::int64_t>(next - before);
  // Where no thread or device carries a reduction on, this one does.
  if (!works.empty() && !backend.is_cuda()) works.back()->done();
}

// Strictly in plan order: a bucket that fills early waits for those before it.
void Reducer::State::issue_full(std::size_t limit) {
  while (next < limit && missing[next] == 0) issue_next();
}

void Reducer::State::issue_next() {
  const Bucket& bucket = plan.buckets[next];
  const std::int64_t end = stats_apart() ? gradients_end(plan, next) : bucket.end;
  void* const buffer = wire ? wire->pack(bucket.begin, end) : base + bucket.begin;
  const comm::DType type = wire ? wire->type() : comm::DType::kF32;
  if (owned.empty()) {
    reduce(buffer, end - bucket.begin, type);
  } else {
    reduce_scatter(buffer, end - bucket.begin, type);
  }
  if (stats_apart() && next + 1 == plan.buckets.size()) {
    reduce(base + plan.layout.stats_offset, optim::kNumStats, comm::DType::kF32);
  }
  ++next;  // after the call: when it failed, nothing went out and abandon() tries again
}

// The range of bucket `b` that holds sums once it is received.
optim::Range Reducer::State::summed(std::size_t b) const {
  if (!owned.empty()) return owned[b];
  return {plan.buckets[b].begin, stats_apart() ? gradients_end(plan, b) : plan.buckets[b].end};
}

// In place: slice r of the bucket stays with rank r.
void Reducer::State::reduce_scatter(void* buffer, std::int64_t count, comm::DType type) {
  const auto slice = static_cast<std::size_t>(count / group.size());
  const std::size_t bytes = slice * comm::size_bytes(type);
  std::byte* const own =
      static_cast<std::byte*>(buffer) + static_cast<std::size_t>(group.rank()) * bytes;
  works.push_back(group.reduce_scatter_async(
      buffer, own, slice, type, comm::ReduceOp::kSum, backend.compute_stream()));
  counters.comm_bytes += count * static_cast<std::int64_t>(comm::size_bytes(type)) / 2;
}

void Reducer::State::reduce(void* buffer, std::int64_t count, comm::DType type) {
  works.push_back(group.all_reduce_async(buffer,
                                         static_cast<std::size_t>(count),
                                         type,
                                         comm::ReduceOp::kSum,
                                         backend.compute_stream()));
  counters.comm_bytes += count * static_cast<std::int64_t>(comm::size_bytes(type));
}

// Waits for bucket `b`, with the last one for the stats too.
void Reducer::State::receive(std::size_t b, std::vector<std::unique_ptr<comm::Work>>& sent) {
  sent[b]->wait(backend.compute_stream());
  if (wire) wire->unpack(summed(b).begin, summed(b).end);
  const bool last = b + 1 == plan.buckets.size();
  if (stats_apart() && last) sent[b + 1]->wait(backend.compute_stream());
}

void Reducer::State::issue_all() {
  while (next < plan.buckets.size()) issue_next();
}

// Times of collectives that have ended since; on CUDA a step or two late.
void Reducer::State::harvest() {
  std::erase_if(past, [this](const std::unique_ptr<comm::Work>& work) {
    if (!work->done()) return false;
    counters.comm_total_s += work->busy_s();
    return true;
  });
}

Reducer::Reducer(comm::World& world,
                 comm::Group& group,
                 optim::Arena& arena,
                 const BucketPlan& plan,
                 comm::DType wire,
                 bool sharded)
    : state_(std::make_unique<State>(group, arena, plan)) {
  LOCKSTEP_CHECK(group.size() <= world.size(), "the group is part of the world");
  LOCKSTEP_CHECK(plan.layout.total == arena.layout().total, "the arena was laid out by this plan");
  if (wire != comm::DType::kF32) state_->wire.emplace(world, arena, wire);
  if (sharded) state_->owned = plan_shard(plan, group.rank(), group.size());
  state_->keep_mapped();
  State* const state = state_.get();
  state_->hooks = std::make_unique<GradientHooks>(
      arena.named(), [state](std::size_t parameter) { state->on_gradient(parameter); });
}

Reducer::~Reducer() = default;

std::int64_t Reducer::bytes() const { return state_->wire ? state_->wire->bytes() : 0; }

void Reducer::recut(const BucketPlan& plan) {
  State& state = *state_;
  LOCKSTEP_CHECK(state.phase != Phase::kReducing && state.works.empty(),
                 "a plan is cut anew between two steps");
  LOCKSTEP_CHECK(plan.layout.total == state.plan.layout.total &&
                     plan.layout.offset == state.plan.layout.offset,
                 "parameters stay where they are");
  state.plan = plan;
  state.index_buckets();
  if (!state.owned.empty()) {
    state.owned = plan_shard(plan, state.group.rank(), state.group.size());
  }
  if (state.wire) state.wire->forget();
}

void Reducer::on_bucket_reduced(
    std::function<void(std::int64_t begin, std::int64_t end)> callback) {
  state_->callback = std::move(callback);
}

void Reducer::follow_update(at::Tensor updates, at::Tensor loss_scale) {
  if (state_->wire) state_->wire->follow(std::move(updates), std::move(loss_scale));
}

void Reducer::begin_micro(bool reduce) {
  State& state = *state_;
  LOCKSTEP_CHECK(state.phase != Phase::kReducing && state.works.empty(),
                 "finalize() follows the reduced backward pass before the next begin_micro()");
  state.arena.check_views();
  const std::lock_guard lock(state.mutex);
  if (reduce) {
    state.start_reducing();
  } else {
    state.phase = Phase::kAccumulating;
  }
}

void Reducer::finalize(telemetry::Ledger* ledger) {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  if (state.hook_error) std::rethrow_exception(std::exchange(state.hook_error, nullptr));
  LOCKSTEP_CHECK(state.phase == Phase::kReducing || !state.works.empty(),
                 "begin_micro(true) or abandon() comes before finalize()");
  state.phase = Phase::kIdle;
  lock.unlock();
  {
    const OptionalSpan span(ledger, telemetry::Bin::kCommExposed);
    state.issue_all();
  }
  std::vector<std::unique_ptr<comm::Work>> works = std::exchange(state.works, {});
  for (std::size_t b = 0; b < state.plan.buckets.size(); ++b) {
    {
      const OptionalSpan span(ledger, telemetry::Bin::kCommExposed);
      state.receive(b, works);
    }
    if (state.callback) {
      const OptionalSpan span(ledger, telemetry::Bin::kOptimizer);
      state.callback(state.summed(b).begin, state.summed(b).end);
    }
  }
  std::ranges::move(works, std::back_inserter(state.past));
  state.harvest();
}

void Reducer::abandon(std::int64_t bad_flag_slot) {
  State& state = *state_;
  LOCKSTEP_CHECK(bad_flag_slot >= 0 && bad_flag_slot < optim::kNumStats,
                 "the bad flag is one of the stats slots");
  const std::lock_guard lock(state.mutex);
  state.hook_error = nullptr;
  if (state.phase != Phase::kReducing) state.start_reducing();
  state.phase = Phase::kIdle;
  at::Tensor& gradients = state.arena.gradients();
  if (state.next < state.plan.buckets.size()) {
    const std::int64_t begin = state.plan.buckets[state.next].begin;
    gradients.narrow(0, begin, state.plan.layout.total - begin).zero_();
  }
  state.arena.stats().select(0, bad_flag_slot).fill_(1.0);
  state.issue_all();
}

void Reducer::gather_parameters(telemetry::Ledger* ledger) {
  State& state = *state_;
  if (state.owned.empty()) return;
  const OptionalSpan span(ledger, telemetry::Bin::kCommExposed);
  const gpu::StreamHandle stream = state.backend.compute_stream();
  float* const parameters = state.arena.parameters().mutable_data_ptr<float>();
  const std::size_t first = state.past.size();
  for (std::size_t b = 0; b < state.owned.size(); ++b) {
    const optim::Range& own = state.owned[b];
    state.past.push_back(state.group.all_gather_async(parameters + own.begin,
                                                      parameters + state.plan.buckets[b].begin,
                                                      static_cast<std::size_t>(own.end - own.begin),
                                                      comm::DType::kF32,
                                                      stream));
    state.counters.comm_bytes += (own.end - own.begin) * state.group.size() * 4 / 2;
  }
  for (std::size_t i = first; i < state.past.size(); ++i) state.past[i]->wait(stream);
  state.harvest();
}

void Reducer::check() { state_->harvest(); }

ReducerCounters Reducer::take_counters() {
  state_->harvest();
  return std::exchange(state_->counters, {});
}

}  // namespace lockstep::parallel
