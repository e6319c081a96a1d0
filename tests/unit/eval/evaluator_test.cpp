// Every sample counts once, whatever the batch and however many ranks share the work.
#include "support/test_world.h"

#include <lockstep/eval/evaluator.h>

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

namespace lockstep::eval {
namespace {

constexpr std::int64_t kNumSamples = 23;  // divides by no batch and no number of ranks below
constexpr std::int64_t kNumClasses = 7;

// Images of 1 x 2 x 1 pixels: the first is the sample's index, the second is 255.
class CountingDataset final : public data::Dataset {
 public:
  CountingDataset() {
    info_.path = "counting";
    info_.num_samples = kNumSamples;
    info_.height = 1;
    info_.width = 2;
    info_.channels = 1;
    info_.classes.assign(kNumClasses, "c");
    info_.image_mean = info_.image_std = {0.5};
  }
  const data::DatasetInfo& info() const override { return info_; }
  void read_pixels(std::int64_t index, std::span<std::byte> out, bool /*verify*/) const override {
    if (index == bad) throw data_error("sample 17 is damaged");
    out[0] = static_cast<std::byte>(index);
    out[1] = std::byte{255};
  }
  std::int64_t label(std::int64_t index) const override { return index % kNumClasses; }
  std::int64_t sample_id(std::int64_t index) const override { return 1000 + index; }

  std::int64_t bad = -1;

 private:
  data::DatasetInfo info_;
};

// Logits that are a function of the sample: right for every third one, second best for the others.
at::Tensor logits_of(std::int64_t index) {
  at::Tensor row = at::full({kNumClasses}, 0.01F * static_cast<float>(index));
  row[index % kNumClasses] = 2.0F;
  if (index % 3 != 0) row[(index + 1) % kNumClasses] = 3.0F;
  return row;
}

// (B, 1, 1, 2) with mean 0 and std 1 / 255: pixels come out as they are.
at::Tensor forward(const at::Tensor& images) {
  at::Tensor logits = at::full({images.size(0), kNumClasses}, 0.0F);
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    logits[i].copy_(logits_of(std::llround(images[i].flatten()[0].item<float>())));
  }
  return logits;
}

EvaluatorOptions options_of(std::int64_t batch) {
  EvaluatorOptions options;
  options.batch = batch;
  options.mean = {0.0};
  options.std = {1.0 / 255};
  return options;
}

class EvaluatorTest : public testing::Test {
 protected:
  ClassificationResult evaluate(const EvaluatorOptions& options) {
    return evaluate_classification(
        world_,
        mesh_.data(),
        device_,
        dataset_,
        [](const at::Tensor& x) { return forward(x); },
        options);
  }
  comm::World& world_ = test::world();
  comm::Device device_{&gpu::host_backend(), 0};
  comm::Mesh mesh_ = world_.open_mesh(comm::Options{}, device_, false);
  CountingDataset dataset_;
};

TEST_F(EvaluatorTest, EqualsAPlainLoop) {
  double loss = 0;
  for (std::int64_t i = 0; i < kNumSamples; ++i) {
    const at::Tensor label = at::full({1}, i % kNumClasses, at::kLong);
    loss += at::cross_entropy_loss(logits_of(i).unsqueeze(0), label).item<double>();
  }
  for (const std::int64_t batch : {1, 4, 64}) {
    const ClassificationResult result = evaluate(options_of(batch));
    EXPECT_EQ(result.num_samples, kNumSamples);
    EXPECT_DOUBLE_EQ(result.top1, 8.0 / kNumSamples);  // 0, 3, ... 21
    EXPECT_DOUBLE_EQ(result.top5, 1.0);
    EXPECT_NEAR(result.loss, loss / kNumSamples, 1e-6);
  }
}

TEST_F(EvaluatorTest, TheLossDoesNotDependOnTheSplit) {
  const double loss = evaluate(options_of(4)).loss;
  EXPECT_EQ(evaluate(options_of(1)).loss, loss);
  EXPECT_EQ(evaluate(options_of(23)).loss, loss);
}

TEST_F(EvaluatorTest, HandsOutEverySampleOnce) {
  std::vector<std::int64_t> times(kNumSamples);
  EvaluatorOptions options = options_of(3);
  options.on_logits = [&](const at::Tensor& ids, const at::Tensor& logits) {
    ASSERT_EQ(ids.size(0), logits.size(0));
    for (std::int64_t i = 0; i < ids.size(0); ++i) {
      const std::int64_t index = ids[i].item<std::int64_t>() - 1000;
      ASSERT_GE(index, 0) << "padding was handed out";
      ++times[static_cast<std::size_t>(index)];
      EXPECT_TRUE(logits[i].equal(logits_of(index)));
    }
  };
  evaluate(options);
  comm::all_reduce(world_.control(), times, comm::ReduceOp::kSum);
  EXPECT_EQ(times, std::vector<std::int64_t>(kNumSamples, 1));
}

TEST_F(EvaluatorTest, ALossThatIsNotFiniteIsNotHidden) {
  const ClassificationResult result = evaluate_classification(
      world_,
      mesh_.data(),
      device_,
      dataset_,
      [](const at::Tensor& images) {
        at::Tensor logits = forward(images);
        return logits / logits * std::numeric_limits<float>::infinity();
      },
      options_of(4));
  EXPECT_TRUE(std::isnan(result.loss));
  EXPECT_EQ(result.num_samples, kNumSamples);
}

// The damaged sample is read by one rank; all learn of it.
TEST_F(EvaluatorTest, AFailureOfOneRankIsOneOfAll) {
  dataset_.bad = 17;
  try {
    evaluate(options_of(4));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const comm::AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadData);
    EXPECT_STREQ(error.what(), "sample 17 is damaged");
    EXPECT_EQ(error.rank(), 17 / 4 % world_.size());
  }
}

}  // namespace
}  // namespace lockstep::eval
