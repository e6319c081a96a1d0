#include "batch_plan.h"

#include <lockstep/augment/to_floats.h>
#include <lockstep/base/error.h>

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace lockstep::augment {
namespace {

// A pass that several threads share: each call takes memory of its own from a stock.
class SharedPass {
 public:
  SharedPass(const FeederOptions& options,
             data::ImageSize size,
             std::int64_t channels,
             bool geometry_applied)
      : planner_(options),
        shape_(planner_.shape_of(size.height, size.width, channels)),
        geometry_applied_(geometry_applied) {}

  void run(std::span<const std::uint8_t> pixels,
           std::int64_t epoch,
           std::int64_t sample_id,
           std::span<float> out) {
    LOCKSTEP_CHECK(std::ssize(pixels) ==
                       std::int64_t{shape_.source_height} * shape_.source_width * shape_.channels,
                   "pixels of the size that the pass was made for");
    LOCKSTEP_CHECK(std::ssize(out) == std::int64_t{shape_.height} * shape_.width * shape_.channels,
                   "room for one result");
    std::unique_ptr<Tools> tools = take();
    tools->ops.resize(static_cast<std::size_t>(planner_.ops_per_sample()));
    const SamplePlan plan =
        planner_.plan_sample(shape_, geometry_applied_, epoch, sample_id, tools->ops);
    transform_sample(pixels.data(),
                     shape_,
                     plan,
                     tools->ops,
                     planner_.normalisation(),
                     tools->memory,
                     out.data());
    const std::lock_guard lock(mutex_);
    stock_.push_back(std::move(tools));
  }

 private:
  struct Tools {
    PassMemory memory;
    std::vector<PixelOp> ops;
  };

  std::unique_ptr<Tools> take() {
    const std::lock_guard lock(mutex_);
    if (stock_.empty()) return std::make_unique<Tools>();
    std::unique_ptr<Tools> tools = std::move(stock_.back());
    stock_.pop_back();
    return tools;
  }

  const BatchPlanner planner_;
  const PassShape shape_;
  const bool geometry_applied_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Tools>> stock_;
};

}  // namespace

data::ToFloats make_to_floats(const FeederOptions& options,
                              data::ImageSize size,
                              std::int64_t channels,
                              bool geometry_applied) {
  const auto pass = std::make_shared<SharedPass>(options, size, channels, geometry_applied);
  return [pass](std::span<const std::uint8_t> pixels,
                std::int64_t epoch,
                std::int64_t sample_id,
                std::span<float> out) { pass->run(pixels, epoch, sample_id, out); };
}

}  // namespace lockstep::augment
