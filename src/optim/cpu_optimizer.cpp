// The host's update: one thread, one pass over the arena.
#include "cpu_optimizer.h"

#include "cpu_kernels.h"
#include "optimizer_state.h"

#include <algorithm>
#include <numeric>

namespace lockstep::optim {
namespace {

class CpuOptimizer final : public Optimizer {
 public:
  CpuOptimizer(Arena& arena,
               const Options& options,
               const PrecisionOptions& precision,
               std::int64_t bad_flag_slot,
               const Shard& shard)
      : state_(arena, options, precision, shard), bad_flag_slot_(bad_flag_slot) {}

  void add_norm(std::int64_t begin, std::int64_t end) override {
    const std::int64_t count = state_.norm_end(end) - begin;
    has_norm_ = true;
    if (count <= 0) return;
    sum_ += sum_of_squares(state_.arena.gradients().const_data_ptr<float>() + begin, count);
  }

  void update(const UpdateInputs& inputs) override {
    if (!has_norm_) {
      for (const Range& range : state_.shard.owned) add_norm(range.begin, range.end);
    }
    UpdateBlock& block = *static_cast<UpdateBlock*>(state_.block.mutable_data_ptr());
    float* const gradients = state_.arena.gradients().mutable_data_ptr<float>();
    float* const stats = gradients + state_.arena.layout().stats_offset;
    block.now = {inputs.lr, inputs.samples};
    const auto stat = [&](std::int64_t slot) { return slot < 0 ? 0.0F : stats[slot]; };
    decide_update(
        state_.settings, sum_of_all(), stat(bad_flag_slot_), stat(inputs.loss_slot), block);
    if (block.factors.apply != 0) apply(block, gradients);
    if (block.factors.apply != 0 && !state_.sharded()) {
      std::fill_n(stats, kNumStats, 0.0F);  // the pass over the arena zeroed the rest
    } else {
      std::fill_n(gradients, state_.arena.layout().total, 0.0F);
    }
    sum_ = 0;
    has_norm_ = false;
  }

  UpdateReport report(std::int64_t updates_ago) override {
    LOCKSTEP_CHECK(updates_ago == 0, "the host keeps the last update's report only");
    const auto& block = *static_cast<const UpdateBlock*>(state_.block.const_data_ptr());
    return report_of(block.outcome);
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
  double sum_of_all() {
    if (!state_.sharded()) return sum_;
    auto* const norms = static_cast<double*>(state_.shard.norms.data_ptr());
    norms[state_.shard.group->rank()] = sum_;
    state_.gather_norms({});
    return std::accumulate(norms, norms + state_.shard.norms.numel(), 0.0);
  }

  void apply(const UpdateBlock& block, float* gradients) {
    float* const parameters = state_.arena.parameters().mutable_data_ptr<float>();
    for (const RowBlock& rows : state_.rows) {
      row_pass({parameters + rows.offset,
                gradients + rows.offset,
                rows.rows,
                rows.length,
                block.factors.grad_factor,
                rows.clip,
                rows.centralise != 0});
    }
    for (const auto& [segment, state] : state_.segments) {
      PassArguments arguments{state_.settings,
                              block,
                              {segment.lr_factor, segment.weight_decay},
                              parameters + segment.offset,
                              gradients + segment.offset,
                              {},
                              state_.average_at(state),
                              segment.count};
      std::ranges::copy(state_.slots_at(state), arguments.slots);
      update_pass(state_.description.rule, arguments);
    }
  }

  OptimizerState state_;
  std::int64_t bad_flag_slot_;
  double sum_ = 0;
  bool has_norm_ = false;
};

}  // namespace

std::unique_ptr<Optimizer> make_cpu_optimizer(Arena& arena,
                                              const Options& options,
                                              const PrecisionOptions& precision,
                                              std::int64_t bad_flag_slot,
                                              const Shard& shard) {
  return std::make_unique<CpuOptimizer>(arena, options, precision, bad_flag_slot, shard);
}

}  // namespace lockstep::optim
