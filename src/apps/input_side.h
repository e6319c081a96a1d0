// One way of reading a data file, as `lockstep bench input` measures it: data set, loader and what
// makes floats. Knows nothing of reports.
#pragma once

#include <lockstep/augment/detection_feeder.h>
#include <lockstep/augment/feeder.h>
#include <lockstep/comm/world.h>
#include <lockstep/config/settings.h>
#include <lockstep/data/loader.h>
#include <lockstep/train/shared_input.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace lockstep::apps {

struct InputOptions {
  std::string reader = "engine";  // or naive, or reads: bare reads of the data set and nothing else
  std::string output = "f32";     // or u8
  std::int64_t batch = 0;         // of this rank
  bool training = true;           // false: what a file holds, the same in every epoch
  std::string verify = "never";
};

// What a block of batches took.
struct InputBlock {
  std::int64_t images = 0;
  double seconds = 0;
  double wait_s = 0;  // for input, of the thread that would train
  double cpu_s = 0;   // of the process

  double images_per_s() const { return static_cast<double>(images) / seconds; }
};

class InputSide {
 public:
  // Throws: as open_dataset, Error(kUsage).
  InputSide(const comm::World& world,
            const config::Settings& settings,
            const InputOptions& options,
            const train::SharedInput& shared);

  const data::Dataset& dataset() const { return *dataset_; }
  const data::Sampler& sampler() const { return sampler_; }
  const data::LoaderOptions& loading() const { return loading_; }
  // Batches that may be ready before they are asked for.
  std::int64_t num_ahead() const;
  // Begins an epoch anew, with the file out of the page cache, as the first thing to read of it.
  void restart_cold();
  // Batches as training takes them; after each the thread sleeps for `compute_s`, as if a device
  // were at work.
  InputBlock take(std::int64_t num_batches, double compute_s);
  // Sum over the real samples of the next batches of a number made of id, label or boxes, and
  // pixels: of a whole epoch it depends neither on the order nor on the number of ranks. Requires:
  // output u8.
  std::uint64_t sum(std::int64_t num_batches);

 private:
  void make_floats(const config::Settings& settings);
  void drop_from_page_cache() const;
  const data::Batch& next();
  std::int64_t take_one();
  std::int64_t read_one();

  std::unique_ptr<data::Dataset> dataset_;
  data::Sampler sampler_;
  data::LoaderOptions loading_;
  std::unique_ptr<augment::Feeder> feeder_;                     // naive f32 only
  std::unique_ptr<augment::DetectionFeeder> detection_feeder_;  // instead, with boxes
  std::unique_ptr<data::Loader> loader_;                        // null: bare reads
  std::vector<std::int64_t> indices_;                           // of bare reads
  std::vector<std::byte> buffer_;
  std::int64_t rank_;
  std::int64_t epoch_ = -1;
  std::int64_t step_ = 0;
};

// How a block is taken.
struct BlockPlan {
  std::int64_t batches = 0;
  double compute_s = 0;
  bool cold = false;
};

// Images and processor seconds of all ranks, times of the slowest one. Collective.
InputBlock time_block(comm::World& world, InputSide& side, const BlockPlan& plan);

}  // namespace lockstep::apps
