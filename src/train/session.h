// Everything a run is made of, built in one place and in order of dependence.
#pragma once

#include <lockstep/augment/feeder.h>
#include <lockstep/data/dataset.h>
#include <lockstep/data/loader.h>
#include <lockstep/models/vit.h>
#include <lockstep/optim/arena.h>
#include <lockstep/optim/optimizer.h>
#include <lockstep/parallel/bucket_plan.h>
#include <lockstep/parallel/reducer.h>
#include <lockstep/train/run.h>
#include <lockstep/train/shared_input.h>

#include <memory>
#include <string>

namespace lockstep::train {

// Slots of optim::Arena::stats(): they travel with the last gradient bucket and are summed over all
// ranks, so that no step needs a collective of its own for them.
enum StatsSlot : std::int64_t { kLossSum = 0, kBadFlag = 1, kStopFlag = 2 };

// How a run is cut into steps; pure.
struct StepPlan {
  std::int64_t batch_per_rank = 0;
  std::int64_t samples_per_step = 0;
  std::int64_t steps_per_epoch = 0;
  std::int64_t total_steps = 0;
  std::int64_t num_epochs = 0;  // epochs that are begun
  double peak_lr = 0;           // by optim.lr_rule
};

// Throws: Error(kConfig), for example when train.global_batch does not divide.
data::SamplerOptions plan_sampler(const Settings& settings,
                                  std::int64_t num_samples,
                                  std::int64_t num_ranks);
StepPlan plan_steps(const Settings& settings, const data::Sampler& sampler);

// Members are destroyed in reverse: loader and reducer first, data sets last.
struct Session {
  // What the model's blocks recompute from now on.
  void set_recompute(const models::RecomputePlan& wanted);

  SharedInput shared_input;  // lent to the data sets
  std::unique_ptr<data::Dataset> train_data;
  std::unique_ptr<data::Dataset> val_data;  // null without data.val
  std::shared_ptr<models::Vit> model;
  models::RecomputePlan recompute;
  StepPlan plan;
  std::int64_t parts = 1;  // micro-batches that a loaded batch is cut into; divides it
  parallel::BucketPlan buckets;
  std::unique_ptr<optim::Arena> arena;
  std::unique_ptr<optim::Optimizer> optimizer;
  std::unique_ptr<parallel::Reducer> reducer;
  std::unique_ptr<augment::Feeder> feeder;
  std::unique_ptr<data::Loader> loader;
};

// The averaged weights into the model and the trained ones into their place; again: back, bit for
// bit. Requires: optimizer->has_average(). Collective.
void swap_average(Session& session);
// A new loader that begins with step `step` (from 1). Collective.
void restart_loader(Job& job, Session& session, std::int64_t step);

// `train_data` takes the place of data.train when it is given (benchmarks).
// Collective. Throws: AgreedError on all ranks: data (65, 74), model and step plan (78), memory
// (71).
std::unique_ptr<Session> open_session(Job& job,
                                      std::unique_ptr<data::Dataset> train_data = nullptr);

}  // namespace lockstep::train
