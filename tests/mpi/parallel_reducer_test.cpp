// The reducer over real ranks: integer-valued gradients, so that sums are exact whatever the order.
#include <lockstep/base/error.h>
#include <lockstep/parallel/reducer.h>

#include <ATen/ops/full.h>
#include <gtest/gtest.h>
#include <support/test_world.h>
#include <support/tiny_model.h>

namespace lockstep::parallel {
namespace {

using test::world;

constexpr std::int64_t kBadFlag = 2;

// Parameters whose gradients the test dictates: the loss is sum(parameter * wanted gradient).
class Dictated : public torch::nn::Module {
 public:
  explicit Dictated(const std::vector<std::vector<std::int64_t>>& shapes) {
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      tensors.push_back(register_parameter("p" + std::to_string(i), at::zeros(shapes[i])));
    }
  }
  // In the order given, so that the last parameter's gradient comes first.
  at::Tensor loss(const std::vector<at::Tensor>& gradients) {
    at::Tensor sum = at::zeros({});
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (gradients[i].defined()) sum = sum + (tensors[i] * gradients[i]).sum();
    }
    return sum;
  }
  std::vector<at::Tensor> tensors;
};

// Differs by rank, micro-batch, parameter and element; small integers.
at::Tensor wanted(int rank, int micro, std::size_t index, const at::Tensor& like) {
  const at::Tensor ramp = at::arange(like.numel(), at::kFloat).remainder(11).view(like.sizes());
  return ramp * (rank + 1) + static_cast<double>(micro * 3) + static_cast<double>(index);
}

class ParallelReducerTest : public testing::Test {
 protected:
  void build(bool with_unused) {
    std::vector<at::Tensor> ones;
    for (const at::Tensor& tensor : module_.tensors) ones.push_back(at::ones_like(tensor));
    if (with_unused) ones[1].reset();
    parameters_ = parameters_of(module_);
    std::vector<std::int64_t> counts;
    for (const auto& p : parameters_) counts.push_back(p.tensor.numel());
    PlanOptions options;
    options.first_bucket_bytes = 1000;
    options.bucket_bytes = 6000;
    options.group_size = mesh_.data().size();
    plan_ =
        plan_buckets(counts,
                     probe_backward_order(world(), parameters_, [&] { return module_.loss(ones); }),
                     options);
    arena_ = std::make_unique<optim::Arena>(world(), parameters_, plan_.layout, at::kCPU);
    reducer_ = std::make_unique<Reducer>(world(), mesh_.data(), *arena_, plan_);
  }
  void micro(int index, bool last, bool with_unused = false) {
    std::vector<at::Tensor> gradients;
    for (std::size_t i = 0; i < module_.tensors.size(); ++i) {
      gradients.push_back(wanted(world().rank(), index, i, module_.tensors[i]));
    }
    if (with_unused) gradients[1].reset();
    reducer_->begin_micro(last);
    module_.loss(gradients).backward();
  }
  // The sum over all ranks and micro-batches, computed here without any bucket.
  void expect_sums(int micros, bool with_unused = false) {
    for (std::size_t i = 0; i < module_.tensors.size(); ++i) {
      at::Tensor expected = at::zeros_like(module_.tensors[i]);
      for (int rank = 0; rank < world().size(); ++rank) {
        for (int m = 0; m < micros; ++m) expected += wanted(rank, m, i, expected);
      }
      if (with_unused && i == 1) expected.zero_();
      EXPECT_TRUE(module_.tensors[i].grad().equal(expected)) << "parameter " << i;
    }
  }

  comm::Mesh mesh_ = world().open_mesh({}, {&gpu::host_backend(), 0}, false);
  Dictated module_{{{40, 30}, {17}, {1000}, {3, 3, 3}, {55, 20}, {1}}};
  std::vector<optim::NamedParameter> parameters_;
  BucketPlan plan_;
  std::unique_ptr<optim::Arena> arena_;
  std::unique_ptr<Reducer> reducer_;
};

TEST_F(ParallelReducerTest, SumsEqualTheUnbucketedOnesBitForBit) {
  build(false);
  ASSERT_GT(plan_.buckets.size(), 2U);
  for (int step = 0; step < 3; ++step) {
    micro(0, true);
    reducer_->finalize(nullptr);
    expect_sums(1);
    arena_->gradients().zero_();
  }
}

TEST_F(ParallelReducerTest, AccumulatesFirstAndReducesOnce) {
  build(false);
  for (int m = 0; m < 3; ++m) micro(m, m == 2);
  reducer_->finalize(nullptr);
  expect_sums(3);
  EXPECT_EQ(reducer_->take_counters().comm_bytes, plan_.layout.total * 4);
}

TEST_F(ParallelReducerTest, UnusedParametersStayZero) {
  build(true);
  for (int m = 0; m < 2; ++m) micro(m, m == 1, true);
  reducer_->finalize(nullptr);
  expect_sums(2, true);
}

TEST_F(ParallelReducerTest, AParameterUsedBySomeRanksOnlyIsReducedToo) {
  build(false);
  const bool without = world().rank() == 0;
  micro(0, true, without);
  reducer_->finalize(nullptr);
  at::Tensor expected = at::zeros_like(module_.tensors[1]);
  for (int rank = 1; rank < world().size(); ++rank) expected += wanted(rank, 0, 1, expected);
  EXPECT_TRUE(module_.tensors[1].grad().equal(expected));
}

TEST_F(ParallelReducerTest, BucketsGoOutWhileBackwardRuns) {
  build(false);
  micro(0, true);
  const auto early = reducer_->take_counters().early_buckets;
  EXPECT_EQ(early, static_cast<std::int64_t>(plan_.buckets.size()) - 1);
  reducer_->finalize(nullptr);
}

TEST_F(ParallelReducerTest, StatsWrittenAfterBackwardTravelToo) {
  build(false);
  micro(0, true);
  arena_->stats().select(0, 7).fill_(world().rank() + 1);
  reducer_->finalize(nullptr);
  const int size = world().size();
  EXPECT_EQ(arena_->stats()[7].item<float>(), static_cast<float>(size * (size + 1) / 2));
}

// The last rank fails at three places of the step; nobody hangs and everybody sees the flag.
TEST_F(ParallelReducerTest, ARankThatGivesUpFlagsTheStepOnAllRanks) {
  build(false);
  const bool failing = world().rank() == world().size() - 1;
  for (int where = 0; where < 3; ++where) {
    if (!failing) {
      for (int m = 0; m < 2; ++m) micro(m, m == 1);
    } else {
      if (where > 0) micro(0, false);
      if (where > 1) micro(1, true);
      reducer_->abandon(kBadFlag);
    }
    reducer_->finalize(nullptr);
    EXPECT_EQ(arena_->stats()[kBadFlag].item<float>(), 1.0F) << "place " << where;
    arena_->gradients().zero_();
  }
  micro(0, true);  // the next step is whole again
  reducer_->finalize(nullptr);
  expect_sums(1);
}

// Backward itself throws on one rank, at each parameter in turn: before, between and after the
// buckets that went out.
TEST_F(ParallelReducerTest, AFailureInsideBackwardInEachBucketHangsNobody) {
  build(false);
  const auto num_parameters = static_cast<int>(module_.tensors.size());
  for (int place = 0; place < num_parameters; ++place) {
    at::Tensor& tensor = module_.tensors[static_cast<std::size_t>(place)];
    const bool failing = world().rank() == place % world().size();
    const unsigned hook = tensor.register_hook([failing](const at::Tensor& gradient) -> at::Tensor {
      if (failing) throw data_error("no gradient today");
      return gradient;
    });
    if (failing) {
      EXPECT_ANY_THROW(micro(0, true)) << place;
      reducer_->abandon(kBadFlag);
    } else {
      micro(0, true);
    }
    reducer_->finalize(nullptr);
    EXPECT_EQ(arena_->stats()[kBadFlag].item<float>(), 1.0F) << "parameter " << place;
    tensor.remove_hook(hook);
    arena_->gradients().zero_();
  }
  micro(0, true);  // the next step is whole again
  reducer_->finalize(nullptr);
  expect_sums(1);
}

TEST_F(ParallelReducerTest, SharedParametersAreReducedOnce) {
  at::manual_seed(5);
  test::SharedAndUnused module;
  parameters_ = parameters_of(module);
  const at::Tensor input = at::ones({2, 6}) * (world().rank() + 1);
  const auto order =
      probe_backward_order(world(), parameters_, [&] { return module.forward(input).sum(); });
  PlanOptions options;
  options.bucket_bytes = options.first_bucket_bytes = 64;
  options.group_size = mesh_.data().size();
  plan_ = plan_buckets({36, 5, 18}, order, options);
  arena_ = std::make_unique<optim::Arena>(world(), parameters_, plan_.layout, at::kCPU);
  reducer_ = std::make_unique<Reducer>(world(), mesh_.data(), *arena_, plan_);
  reducer_->begin_micro(true);
  module.forward(input).sum().backward();
  reducer_->finalize(nullptr);
  const at::Tensor reduced = module.first.grad().clone();
  EXPECT_EQ(module.unused.grad().abs().sum().item<float>(), 0.0F);

  // Linear in the input: the sum over ranks is the gradient of 1 + 2 + … + N.
  reducer_.reset();
  arena_->gradients().zero_();
  const int size = world().size();
  module.forward(at::ones({2, 6}) * (size * (size + 1) / 2)).sum().backward();
  EXPECT_TRUE(reduced.allclose(module.first.grad(), 1e-5, 1e-5));
}

TEST_F(ParallelReducerTest, AProbeThatFailsOnOneRankFailsOnAll) {
  build(false);
  reducer_.reset();
  const int last = world().size() - 1;
  const auto loss = [&]() -> at::Tensor {
    if (world().rank() == last) throw data_error("no such batch");
    return module_.tensors[0].sum();
  };
  EXPECT_THROW(probe_backward_order(world(), parameters_, loss), comm::AgreedError);
}

}  // namespace
}  // namespace lockstep::parallel
