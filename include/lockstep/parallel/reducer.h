// Overlapped gradient all-reduce for any torch::nn::Module: what LibTorch's C++ API lacks.
//
//   parallel::Reducer reducer(world, mesh.data(), parallel::parameters_of(*model), probe, options);
//   for (micro-batches) { reducer.begin_micro(last); loss.backward(); }
//   reducer.finalize();                 // gradients of the arena are now sums over all ranks
//   optimizer->update(...);
#pragma once

#include <lockstep/comm/world.h>
#include <lockstep/optim/arena.h>
#include <lockstep/optim/optimizer.h>
#include <lockstep/parallel/bucket_plan.h>
#include <lockstep/telemetry/ledger.h>

#include <torch/nn/module.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace lockstep::parallel {

// Leaves of the module that want a gradient, under their own names, each shared tensor once.
std::vector<optim::NamedParameter> parameters_of(torch::nn::Module& module);

// The order in which one backward pass of `loss` finishes the gradients (indices into
// `parameters`), as rank 0 saw it: the same on all ranks. Parameters without a gradient come last
// and are named in one warning. Gradients are cleared: call it before the arena is made.
// Collective: on the control plane. Throws: comm::AgreedError on every rank when `loss` failed on
// one.
std::vector<std::int64_t> probe_backward_order(comm::World& world,
                                               const std::vector<optim::NamedParameter>& parameters,
                                               const std::function<at::Tensor()>& loss);

struct ReducerCounters {
  double comm_total_s = 0;  // time the transport was busy, since the last take
  // Bytes handed to all-reduce, since the last take; a reduce-scatter and an all-gather count half
  // each, so that rates compare.
  std::int64_t comm_bytes = 0;
  std::int64_t early_buckets = 0;  // issued while backward was still running, since the last take
};

// Gradients are views into the arena; post-accumulate hooks mark them ready; a full bucket is
// reduced (sum) while backward goes on, strictly in plan order, on the last micro-batch only. The
// last bucket carries the stats slots and is left to finalize(): they may be written until then.
// Lifetime: destroy before the arena, the Group and the World. Thread: hooks may fire on autograd's
// threads; everything else is called by one thread.
class Reducer {
 public:
  // `wire` is kF32, or kF16 or kBF16: gradients are rounded on the way, with error feedback, and
  // the stats slots go in fp32 beside them. Collective with a 16-bit wire. With `sharded` a bucket
  // is reduce-scattered: only this rank's slice of it (plan_shard) becomes the sum, and after the
  // update gather_parameters() brings the slices together.
  Reducer(comm::World& world,
          comm::Group& group,
          optim::Arena& arena,
          const BucketPlan& plan,
          comm::DType wire = comm::DType::kF32,
          bool sharded = false);
  ~Reducer();
  Reducer(const Reducer&) = delete;
  Reducer& operator=(const Reducer&) = delete;

  // Another cut of the same layout (merge_buckets), between two steps: the gradients of the steps
  // before are forgotten, with a 16-bit wire also what rounding took from them.
  void recut(const BucketPlan& plan);

  // Of memory of its own, on the arena's device: 6 a parameter with a 16-bit wire, else 0.
  std::int64_t bytes() const;

  // Called once a bucket, in plan order, when its sum is there (on the host thread that calls
  // finalize; on CUDA after the compute stream was made to wait). Sharded: with the rank's slice.
  void on_bucket_reduced(std::function<void(std::int64_t begin, std::int64_t end)> callback);
  // With a 16-bit wire: scalars on the arena's device, kept up to date by the optimizer, of updates
  // applied so far (i64) and of the loss scale (fp32). What rounding took from a step that was
  // skipped is then forgotten. Before the first step; without a 16-bit wire it does nothing.
  void follow_update(at::Tensor updates, at::Tensor loss_scale);
  // Before each backward. With `reduce` off, gradients only accumulate.
  // Throws: Error(kInternal) naming a parameter whose gradient was replaced.
  void begin_micro(bool reduce);
  // After the last backward: issues what is left (unused parameters, the stats), waits for every
  // bucket and books the wait to comm_exposed, the callbacks to optimizer. `ledger` may be null.
  // Throws: what a hook threw, when backward's caller swallowed it; Error(kPeerLost).
  void finalize(telemetry::Ledger* ledger);
  // After a failure on this rank inside the step, at any point before finalize(): zeroes what was
  // not issued, sets the stats slot `bad_flag_slot`, and issues the rest of the plan, so that no
  // peer hangs. Follow with finalize().
  void abandon(std::int64_t bad_flag_slot);
  // Sharded: every rank's slices of the parameters to all, in place; else nothing. Call it after
  // each update, also a skipped one. Collective. Blocks: on the host; books to comm_exposed.
  void gather_parameters(telemetry::Ledger* ledger);
  // Looks at what is under way, for a host that waits for a device.
  // Throws: Error(kPeerLost) when a collective failed or takes longer than comm.timeout_s.
  void check();
  ReducerCounters take_counters();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lockstep::parallel
