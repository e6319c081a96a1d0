// Gradients as 16-bit floats between ranks: the stated bounds against fp32, and no drift.
#include <lockstep/parallel/reducer.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <support/test_world.h>

#include <cmath>
#include <limits>

namespace lockstep::parallel {
namespace {

using test::world;

constexpr std::int64_t kBadFlag = 2;

// Gradients that the test dictates: loss = sum(parameter * wanted gradient).
struct TwoParameters : torch::nn::Module {
  TwoParameters()
      : first(register_parameter("first", at::zeros({3000}))),
        second(register_parameter("second", at::zeros({1234}))) {}
  at::Tensor first;
  at::Tensor second;
};

class WireTest : public testing::TestWithParam<comm::DType> {
 protected:
  void SetUp() override {
    parameters_ = parameters_of(module_);
    PlanOptions options;
    options.first_bucket_bytes = 1000;
    options.bucket_bytes = 6000;
    options.group_size = mesh_.data().size();
    plan_ = plan_buckets({3000, 1234}, {1, 0}, options);
    arena_ = std::make_unique<optim::Arena>(world(), parameters_, plan_.layout, at::kCPU);
    reducer_ = std::make_unique<Reducer>(world(), mesh_.data(), *arena_, plan_, GetParam());
  }

  // What all ranks get for this rank's gradient of `first`.
  at::Tensor reduce(const at::Tensor& gradient) {
    arena_->gradients().zero_();
    reducer_->begin_micro(true);
    ((module_.first * gradient).sum() + module_.second.sum()).backward();
    arena_->stats().select(0, 5).fill_(1.0 / 3.0);
    reducer_->finalize(nullptr);
    return module_.first.grad().clone();
  }
  // Of one rounding, relative.
  double unit() const { return GetParam() == comm::DType::kBF16 ? 0x1p-8 : 0x1p-11; }

  TwoParameters module_;
  comm::Mesh mesh_ = world().open_mesh({}, {&gpu::host_backend(), 0}, false);
  std::vector<optim::NamedParameter> parameters_;
  BucketPlan plan_;
  std::unique_ptr<optim::Arena> arena_;
  std::unique_ptr<Reducer> reducer_;
};

at::Tensor gradient_of(int rank) {
  at::manual_seed(static_cast<std::uint64_t>(100 + rank));
  return at::rand({3000}) * 2 - 1;
}

TEST_P(WireTest, OneStepIsWithinTwoRoundingsOfFp32) {
  ASSERT_GT(plan_.buckets.size(), 1U);
  const at::Tensor reduced = reduce(gradient_of(world().rank()));
  at::Tensor sum = at::zeros({3000}, at::kDouble);
  at::Tensor magnitudes = at::zeros({3000}, at::kDouble);
  for (int rank = 0; rank < world().size(); ++rank) {
    sum += gradient_of(rank);
    magnitudes += gradient_of(rank).abs();
  }
  const at::Tensor excess = (reduced - sum).abs() - magnitudes * (2.01 * unit());
  EXPECT_LE(excess.max().item<double>(), 0);
  EXPECT_GT((reduced - sum).abs().max().item<double>(), 0) << "nothing was rounded";
}

TEST_P(WireTest, TheStatsKeepTheirPrecision) {
  reduce(gradient_of(world().rank()));
  const float third = 1.0F / 3.0F;
  float expected = third;
  for (int rank = 1; rank < world().size(); ++rank) expected += third;
  EXPECT_EQ(arena_->stats()[5].item<float>(), expected);
}

// Each step's rounding is made good by the next: over many steps the mean is right, where plain
// rounding would be off by the same amount every time. Equal gradients, so that sums are exact.
TEST_P(WireTest, RoundingDoesNotAddUpOverSteps) {
  constexpr int kSteps = 200;
  const at::Tensor gradient = gradient_of(0);
  at::Tensor total = at::zeros({3000}, at::kDouble);
  for (int step = 0; step < kSteps; ++step) total += reduce(gradient);
  const at::Tensor expected = gradient.to(at::kDouble) * (kSteps * world().size());
  const at::Tensor bound = gradient.abs().to(at::kDouble) * (4 * unit() * world().size()) + 1e-5;
  EXPECT_LE(((total - expected).abs() - bound).max().item<double>(), 0);
  const at::Tensor plain =
      (gradient.to(GetParam() == comm::DType::kBF16 ? at::kBFloat16 : at::kHalf).to(at::kDouble) -
       gradient) *
      (kSteps * world().size());
  EXPECT_GT((plain.abs() - bound).max().item<double>(), 0) << "the bound says nothing";
}

// The step that was not finite is skipped by all; the next one is as if it had not been.
TEST_P(WireTest, ABadStepLeavesNothingBehind) {
  at::Tensor bad = gradient_of(world().rank());
  if (world().rank() == 0) bad[7] = std::numeric_limits<float>::quiet_NaN();
  if (world().rank() == 0) bad[8] = std::numeric_limits<float>::infinity();
  const at::Tensor reduced = reduce(bad);
  EXPECT_FALSE(std::isfinite(reduced[7].item<float>()));
  EXPECT_FALSE(std::isfinite(reduced[8].item<float>()));
  const at::Tensor next = reduce(at::full({3000}, 0.25));
  EXPECT_EQ(next[7].item<float>(), 0.25F * static_cast<float>(world().size()));
  EXPECT_EQ(next[8].item<float>(), 0.25F * static_cast<float>(world().size()));
}

TEST_P(WireTest, ARankThatGivesUpHangsNobody) {
  arena_->gradients().zero_();
  if (world().rank() == 0) {
    reducer_->abandon(kBadFlag);
  } else {
    reducer_->begin_micro(true);
    (module_.first.sum() + module_.second.sum()).backward();
  }
  reducer_->finalize(nullptr);
  EXPECT_EQ(arena_->stats()[kBadFlag].item<float>(), 1.0F);
}

INSTANTIATE_TEST_SUITE_P(Types, WireTest, testing::Values(comm::DType::kF16, comm::DType::kBF16));

}  // namespace
}  // namespace lockstep::parallel
