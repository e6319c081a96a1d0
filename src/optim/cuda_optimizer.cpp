// The device's update: every scalar of a step stays on the device; what the host wants to report
// comes back through a ring of pinned slots and is read a step late.
#include "cuda_optimizer.h"

#include "cuda_kernels.h"
#include "optimizer_state.h"

#include <lockstep/base/error.h>
#include <lockstep/base/format.h>
#include <lockstep/gpu/device.h>

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

namespace lockstep::optim {
namespace {

void check_launch(const char* error) {
  if (error != nullptr) {
    throw unavailable_error(format("the optimizer's kernel did not start: {}", error));
  }
}

template <class Function>
Function kernel(const char* symbol) {
  return reinterpret_cast<Function>(gpu::cuda_symbol(symbol));
}

std::vector<Chunk> plan_chunks(const std::vector<OwnedSegment>& segments) {
  std::vector<Chunk> chunks;
  for (const auto& [segment, state] : segments) {
    LOCKSTEP_CHECK(segment.offset % 4 == 0, "segments start at multiples of four elements");
    for (std::int64_t done = 0; done < segment.count; done += kChunkElements) {
      const std::int64_t count = std::min(kChunkElements, segment.count - done);
      chunks.push_back({segment.offset + done,
                        state + done,
                        {segment.lr_factor, segment.weight_decay},
                        static_cast<std::int32_t>(count),
                        0});
    }
  }
  return chunks;
}

std::vector<DeviceRow> plan_device_rows(const std::vector<RowBlock>& blocks) {
  std::vector<DeviceRow> rows;
  for (const RowBlock& block : blocks) {
    for (std::int64_t row = 0; row < block.rows; ++row) {
      rows.push_back(
          {block.offset + row * block.length, block.length, block.clip, block.centralise});
    }
  }
  return rows;
}

// Deterministic partial sums: each call of add() writes slots of its own.
class NormPartials {
 public:
  NormPartials(const at::Device& device, NormFunction function)
      : partials_(at::empty({1024}, at::TensorOptions(at::kDouble).device(device))),
        function_(function) {}

  void add(const float* gradients, std::int64_t count, void* stream) {
    constexpr std::int64_t kMaxBlocks = 264;  // twice the multiprocessors of a large device
    const std::int64_t wanted = (count + kChunkElements - 1) / kChunkElements;
    const std::int64_t blocks = std::min(wanted, kMaxBlocks);
    reserve(used_ + blocks);
    check_launch(function_({gradients,
                            count,
                            partials_.mutable_data_ptr<double>() + used_,
                            static_cast<std::int32_t>(blocks)},
                           stream));
    used_ += blocks;
  }
  const double* data() const { return partials_.const_data_ptr<double>(); }
  std::int64_t used() const { return used_; }
  void reset() { used_ = 0; }

 private:
  // Grows in the first steps only.
  void reserve(std::int64_t slots) {
    if (slots <= partials_.numel()) return;
    at::Tensor larger = at::empty({2 * slots}, partials_.options());
    larger.narrow(0, 0, used_).copy_(partials_.narrow(0, 0, used_));
    partials_ = larger;
  }

  at::Tensor partials_;
  NormFunction function_;
  std::int64_t used_ = 0;
};

// What travels between host and device in one step.
struct Slot {
  std::unique_ptr<gpu::PinnedBuffer> now;
  std::unique_ptr<gpu::PinnedBuffer> outcome;
  std::unique_ptr<gpu::Event> arrived;
};

class StepRing {
 public:
  explicit StepRing(gpu::Backend& backend) {
    for (Slot& slot : slots_) {
      slot.now = backend.make_pinned(sizeof(StepValues));
      slot.outcome = backend.make_pinned(sizeof(UpdateOutcome));
      slot.arrived = backend.make_event(false);
    }
  }

  // Blocks only when the device is as many steps behind as the ring has slots.
  Slot& begin() {
    Slot& slot = at(sent_);
    slot.arrived->synchronize();
    return slot;
  }
  void end(gpu::StreamHandle stream) { at(sent_++).arrived->record(stream); }

  // Blocks: until that update is done.
  UpdateOutcome outcome(std::int64_t updates_ago) {
    LOCKSTEP_CHECK(
        updates_ago >= 0 && updates_ago <= Optimizer::kReportDepth && updates_ago < sent_,
        "the report of an update that is too old or was not made");
    Slot& slot = at(sent_ - 1 - updates_ago);
    slot.arrived->synchronize();
    UpdateOutcome outcome{};
    std::memcpy(&outcome, slot.outcome->data(), sizeof(outcome));
    return outcome;
  }

 private:
  Slot& at(std::int64_t step) { return slots_[static_cast<std::size_t>(step) % slots_.size()]; }

  std::array<Slot, Optimizer::kReportDepth + 1> slots_;
  std::int64_t sent_ = 0;
};

class CudaOptimizer final : public Optimizer {
 public:
  CudaOptimizer(Arena& arena,
                const Options& options,
                const PrecisionOptions& precision,
                std::int64_t bad_flag_slot,
                const Shard& shard)
      : state_(arena, options, precision, shard),
        bad_flag_slot_(bad_flag_slot),
        backend_(gpu::cuda_backend()),
        ring_(backend_),
        partials_(arena.device(), kernel<NormFunction>(kNormSymbol)),
        sum_(kernel<SumFunction>(kSumSymbol)),
        decide_(kernel<DecideFunction>(kDecideSymbol)),
        rows_(kernel<RowFunction>(kRowSymbol)),
        update_(kernel<UpdateFunction>(kUpdateSymbol)) {
    send_plans();
  }

  void add_norm(std::int64_t begin, std::int64_t end) override {
    const std::int64_t count = state_.norm_end(end) - begin;
    has_norm_ = true;
    if (count <= 0) return;
    LOCKSTEP_CHECK(begin % 4 == 0, "buckets start at multiples of four elements");
    partials_.add(state_.arena.gradients().const_data_ptr<float>() + begin,
                  count,
                  backend_.compute_stream().native);
  }

  // Stream: the current one. Three small launches and two small copies; the host waits for nothing.
  void update(const UpdateInputs& inputs) override {
    if (!has_norm_) {
      for (const Range& range : state_.shard.owned) add_norm(range.begin, range.end);
    }
    const gpu::StreamHandle stream = backend_.compute_stream();
    auto* const block = static_cast<std::byte*>(state_.block.mutable_data_ptr());
    Slot& slot = ring_.begin();
    const StepValues now{inputs.lr, inputs.samples};
    std::memcpy(slot.now->data(), &now, sizeof(now));
    backend_.copy_to_device_async(
        block + offsetof(UpdateBlock, now), slot.now->data(), sizeof(now), stream);
    launch(reinterpret_cast<UpdateBlock*>(block), inputs.loss_slot, stream);
    backend_.copy_to_host_async(slot.outcome->data(),
                                block + offsetof(UpdateBlock, outcome),
                                sizeof(UpdateOutcome),
                                stream);
    ring_.end(stream);
    partials_.reset();
    has_norm_ = false;
  }

  UpdateReport report(std::int64_t updates_ago) override {
    return report_of(ring_.outcome(updates_ago));
  }

  at::Tensor loss_scale() override { return state_.loss_scale; }
  std::vector<NamedParameter> state() override { return state_.named(); }
  std::vector<NamedParameter> replicated_state() override {
    return state_.sharded() ? state_.scalars() : state_.named();
  }
  std::int64_t state_bytes() const override { return state_.bytes(); }
  bool has_average() const override { return state_.average.defined(); }
  void swap_average() override { state_.swap_average(); }

 private:
  // What decide() adds up: this rank's partials, with a shard one sum a rank.
  std::pair<const double*, std::int64_t> norms(gpu::StreamHandle stream) {
    if (!state_.sharded()) return {partials_.data(), partials_.used()};
    auto* const norms = static_cast<double*>(state_.shard.norms.data_ptr());
    double* const own = norms + state_.shard.group->rank();
    check_launch(sum_({partials_.data(), partials_.used(), own}, stream.native));
    state_.gather_norms(stream);
    return {norms, state_.shard.norms.numel()};
  }

  void launch(UpdateBlock* block, std::int64_t loss_slot, gpu::StreamHandle stream) {
    Arena& arena = state_.arena;
    float* const gradients = arena.gradients().mutable_data_ptr<float>();
    float* const stats = gradients + arena.layout().stats_offset;
    const auto stat = [&](std::int64_t slot) { return slot < 0 ? nullptr : stats + slot; };
    const auto [partials, num_partials] = norms(stream);
    check_launch(decide_(
        {partials, num_partials, stat(bad_flag_slot_), stat(loss_slot), state_.settings, block},
        stream.native));
    if (num_rows_ > 0) treat_rows(block, stream);
    if (num_chunks_ > 0) update_owned(stats, block, stream);
    if (state_.sharded()) arena.gradients().zero_();
  }

  void treat_rows(const UpdateBlock* block, gpu::StreamHandle stream) {
    Arena& arena = state_.arena;
    check_launch(rows_({arena.parameters().const_data_ptr<float>(),
                        arena.gradients().mutable_data_ptr<float>(),
                        static_cast<const DeviceRow*>(device_rows_.const_data_ptr()),
                        num_rows_,
                        block},
                       stream.native));
  }

  void update_owned(float* stats, UpdateBlock* block, gpu::StreamHandle stream) {
    Arena& arena = state_.arena;
    UpdateArguments arguments{state_.description.rule,
                              arena.parameters().mutable_data_ptr<float>(),
                              arena.gradients().mutable_data_ptr<float>(),
                              {},
                              state_.average_at(0),
                              static_cast<const Chunk*>(chunks_.const_data_ptr()),
                              num_chunks_,
                              stats,
                              kNumStats,
                              state_.settings,
                              block};
    std::ranges::copy(state_.slots_at(0), arguments.slots);
    check_launch(update_(arguments, stream.native));
  }

  // What the kernels read in every step, once.
  template <class Item>
  at::Tensor to_device(const std::vector<Item>& items) {
    if (items.empty()) return {};  // all that this rank owns is padding, or no row is treated
    const std::size_t size_bytes = items.size() * sizeof(Item);
    at::Tensor out = at::empty({static_cast<std::int64_t>(size_bytes)},
                               at::TensorOptions(at::kByte).device(state_.arena.device()));
    const std::unique_ptr<gpu::PinnedBuffer> staging = backend_.make_pinned(size_bytes);
    std::memcpy(staging->data(), items.data(), size_bytes);
    const gpu::StreamHandle stream = backend_.compute_stream();
    backend_.copy_to_device_async(out.mutable_data_ptr(), staging->data(), size_bytes, stream);
    backend_.synchronize(stream);
    return out;
  }

  void send_plans() {
    const std::vector<Chunk> chunks = plan_chunks(state_.segments);
    num_chunks_ = static_cast<std::int64_t>(chunks.size());
    chunks_ = to_device(chunks);
    const std::vector<DeviceRow> rows = plan_device_rows(state_.rows);
    num_rows_ = static_cast<std::int64_t>(rows.size());
    device_rows_ = to_device(rows);
  }

  OptimizerState state_;
  std::int64_t bad_flag_slot_;
  gpu::Backend& backend_;
  StepRing ring_;
  NormPartials partials_;
  SumFunction sum_;
  DecideFunction decide_;
  RowFunction rows_;
  UpdateFunction update_;
  at::Tensor chunks_;  // (num_chunks x sizeof(Chunk)) u8
  std::int64_t num_chunks_ = 0;
  at::Tensor device_rows_;  // (num_rows x sizeof(DeviceRow)) u8
  std::int64_t num_rows_ = 0;
  bool has_norm_ = false;
};

}  // namespace

std::unique_ptr<Optimizer> make_cuda_optimizer(Arena& arena,
                                               const Options& options,
                                               const PrecisionOptions& precision,
                                               std::int64_t bad_flag_slot,
                                               const Shard& shard) {
  return std::make_unique<CudaOptimizer>(arena, options, precision, bad_flag_slot, shard);
}

}  // namespace lockstep::optim
