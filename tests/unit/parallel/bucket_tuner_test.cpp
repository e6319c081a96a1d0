#include <lockstep/base/error.h>
#include <lockstep/parallel/bucket_tuner.h>

#include <gmock/gmock.h>
#include <support/recording_group.h>
#include <support/tiny_model.h>

#include <chrono>
#include <thread>

namespace lockstep::parallel {
namespace {

constexpr std::int64_t kLayerBytes = 4096;

// Twelve layers of 4 KiB, each a bucket in the finest cut.
class BucketTunerTest : public testing::Test {
 protected:
  BucketTunerTest() {
    for (int i = 0; i < 12; ++i) {
      parameters_.push_back({"layer" + std::to_string(i), at::randn({1024}).requires_grad_()});
      counts_.push_back(1024);
      order_.push_back(11 - i);
    }
    PlanOptions options;
    options.bucket_bytes = options.first_bucket_bytes = kLayerBytes;
    finest_ = plan_buckets(counts_, order_, options);
    arena_ = std::make_unique<optim::Arena>(*world_, parameters_, finest_.layout, at::kCPU);
    reducer_ = std::make_unique<Reducer>(*world_, group_, *arena_, finest_);
  }
  // One step, which takes `per_bucket` for each collective; how many there were.
  std::size_t step(std::chrono::microseconds per_bucket) {
    group_.calls.clear();
    reducer_->begin_micro(true);
    at::Tensor sum = at::zeros({});
    for (const auto& parameter : parameters_) sum = sum + parameter.tensor.square().sum();
    sum.backward();
    reducer_->finalize(nullptr);
    std::this_thread::sleep_for(per_bucket * group_.calls.size());
    return group_.calls.size();
  }

  std::unique_ptr<comm::World> world_ = comm::open_solo_world();
  test::RecordingGroup group_;
  std::vector<optim::NamedParameter> parameters_;
  std::vector<std::int64_t> counts_;
  std::vector<std::int64_t> order_;
  BucketPlan finest_;
  std::unique_ptr<optim::Arena> arena_;
  std::unique_ptr<Reducer> reducer_;
};

TEST_F(BucketTunerTest, TriesCoarserCutsOnceEach) {
  const auto trials = plan_trials(finest_, kLayerBytes);
  std::vector<std::size_t> sizes;
  for (const BucketTrial& trial : trials) sizes.push_back(trial.plan.buckets.size());
  // The first bucket stays small: 1 + 11, 1 + 3 (4, 4 and 3 layers), 1 + 1; 64 and 256 are as 16.
  EXPECT_THAT(sizes, testing::ElementsAre(12, 4, 2));
  EXPECT_EQ(trials[1].bucket_bytes, 4 * kLayerBytes);
}

TEST_F(BucketTunerTest, KeepsTheFastest) {
  auto trials = plan_trials(finest_, kLayerBytes);
  const std::size_t best =
      tune_buckets(*world_, *reducer_, trials, [this] { step(std::chrono::microseconds(2000)); });
  EXPECT_EQ(best, 2U) << "every bucket costs 2 ms";
  EXPECT_GT(trials[0].seconds, trials[2].seconds);
  EXPECT_EQ(step(std::chrono::microseconds(0)), 2U) << "the reducer goes on with it";
  EXPECT_EQ(reducer_->take_counters().comm_bytes, finest_.layout.total * 4)
      << "what was tried is not counted";
}

TEST_F(BucketTunerTest, CountsTheSlowWaitOfLargeBuckets) {
  auto trials = plan_trials(finest_, kLayerBytes);
  const std::size_t best = tune_buckets(*world_, *reducer_, trials, [this] {
    if (step(std::chrono::microseconds(0)) < 12) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  EXPECT_EQ(best, 0U);
}

TEST_F(BucketTunerTest, OneCutNeedsNoMeasurement) {
  std::vector<BucketTrial> trials = {{kLayerBytes, finest_, 0}};
  EXPECT_EQ(tune_buckets(*world_, *reducer_, trials, [] { FAIL(); }), 0U);
}

TEST_F(BucketTunerTest, AFailedStepEndsIt) {
  auto trials = plan_trials(finest_, kLayerBytes);
  EXPECT_THROW(
      tune_buckets(*world_, *reducer_, trials, [] { throw internal_error("out of luck"); }), Error);
}

}  // namespace
}  // namespace lockstep::parallel
