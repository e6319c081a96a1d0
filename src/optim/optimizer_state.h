// What the host's and the device's optimizer own alike: the slots of state, the block of scalars,
// and their names for a resume.
#pragma once

#include "rows.h"
#include "rules.h"

#include <lockstep/optim/optimizer.h>

#include <array>
#include <vector>

namespace lockstep::optim {

// A segment that this rank updates.
struct OwnedSegment {
  Segment segment;
  std::int64_t state = 0;  // where its part of each slot begins
};

// The parts of `segments` that lie in `owned`; the state of the ranges lies one after another.
std::vector<OwnedSegment> own_segments(const std::vector<Segment>& segments,
                                       const std::vector<Range>& owned);

UpdateReport report_of(const UpdateOutcome& outcome);

struct OptimizerState {
  OptimizerState(Arena& arena,
                 const Options& options,
                 const PrecisionOptions& precision,
                 const Shard& shard);

  bool sharded() const { return shard.group != nullptr; }
  std::vector<NamedParameter> named() const;
  std::vector<NamedParameter> scalars() const;
  // Of each slot, at element `at` of what this rank owns.
  std::array<float*, kMaxSlots> slots_at(std::int64_t at);
  float* average_at(std::int64_t at);  // nullptr without one
  void swap_average();
  std::int64_t bytes() const;
  // Index of the first element after [.., end) that belongs to the norm: the stats slots do not.
  std::int64_t norm_end(std::int64_t end) const;
  // This rank's slot of shard.norms to all ranks. Stream: the slot is written and read on `stream`.
  void gather_norms(gpu::StreamHandle stream) const;

  Arena& arena;
  Shard shard;  // its ranges are the whole arena without a group
  UpdateSettings settings;
  std::vector<OwnedSegment> segments;
  std::vector<RowBlock> rows;
  const Description& description;
  std::vector<at::Tensor> slots;  // (owned elements) fp32 each, by description.state
  at::Tensor average;             // (owned elements) fp32 of the parameters; or undefined
  at::Tensor block;               // (sizeof(UpdateBlock)) u8 on the device
  at::Tensor loss_scale;          // () fp32, a view into the block
};

}  // namespace lockstep::optim
