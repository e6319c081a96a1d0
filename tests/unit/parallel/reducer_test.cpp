#include <lockstep/base/clock.h>
#include <lockstep/base/error.h>
#include <lockstep/parallel/reducer.h>

#include <gmock/gmock.h>
#include <support/recording_group.h>
#include <support/tiny_model.h>

namespace lockstep::parallel {
namespace {

constexpr std::int64_t kBadFlag = 3;

// A chain of four layers in buckets of one layer each, over a group that notes every call.
class ReducerTest : public testing::Test {
 protected:
  ReducerTest() {
    parameters_ = parameters_of(chain_);
    std::vector<std::int64_t> counts;
    for (const auto& p : parameters_) counts.push_back(p.tensor.numel());
    PlanOptions options;
    options.bucket_bytes = options.first_bucket_bytes = 8 * 9 * 4 + 200;
    const auto order = probe_backward_order(*world_, parameters_, [&] { return loss(); });
    plan_ = plan_buckets(counts, order, options);
    arena_ = std::make_unique<optim::Arena>(*world_, parameters_, plan_.layout, at::kCPU);
    reducer_ = std::make_unique<Reducer>(*world_, group_, *arena_, plan_);
  }
  at::Tensor loss() { return chain_.forward(at::randn({3, 8})).square().sum(); }
  void expect_plan_order() {
    ASSERT_EQ(group_.calls.size(), plan_.buckets.size());
    const float* const base = arena_->gradients().const_data_ptr<float>();
    for (std::size_t b = 0; b < plan_.buckets.size(); ++b) {
      EXPECT_EQ(group_.calls[b].buffer - base, plan_.buckets[b].begin);
      EXPECT_EQ(group_.calls[b].count,
                static_cast<std::size_t>(plan_.buckets[b].end - plan_.buckets[b].begin));
    }
  }

  std::unique_ptr<comm::World> world_ = comm::open_solo_world();
  test::RecordingGroup group_;
  test::TinyChain chain_{{8, 8, 8, 8, 8}};
  std::vector<optim::NamedParameter> parameters_;
  BucketPlan plan_;
  std::unique_ptr<optim::Arena> arena_;
  std::unique_ptr<Reducer> reducer_;
};

TEST_F(ReducerTest, IssuesFullBucketsDuringBackwardAndTheLastInFinalize) {
  ASSERT_EQ(plan_.buckets.size(), 4U);
  std::vector<std::int64_t> reduced;
  reducer_->on_bucket_reduced([&](std::int64_t begin, std::int64_t) { reduced.push_back(begin); });
  reducer_->begin_micro(true);
  EXPECT_TRUE(group_.calls.empty());
  loss().backward();
  EXPECT_EQ(group_.calls.size(), 3U);
  EXPECT_TRUE(group_.waited.empty());
  reducer_->finalize(nullptr);
  expect_plan_order();
  EXPECT_THAT(group_.waited, testing::ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(reduced.size(), 4U);
  EXPECT_EQ(reduced.back(), plan_.buckets.back().begin);
}

TEST_F(ReducerTest, CountsBytesTimeAndOverlapSinceTheLastTake) {
  reducer_->begin_micro(true);
  loss().backward();
  reducer_->finalize(nullptr);
  const ReducerCounters counters = reducer_->take_counters();
  EXPECT_EQ(counters.comm_bytes, plan_.layout.total * 4);
  EXPECT_DOUBLE_EQ(counters.comm_total_s, 4 * 0.5);
  EXPECT_EQ(counters.early_buckets, 3);
  EXPECT_EQ(reducer_->take_counters().comm_bytes, 0);
}

TEST_F(ReducerTest, OnlyTheLastMicroBatchCommunicates) {
  for (int micro = 0; micro < 3; ++micro) {
    reducer_->begin_micro(micro == 2);
    const at::Tensor value = loss();
    if (micro == 2) {
      EXPECT_TRUE(group_.calls.empty());
    }
    value.backward();
  }
  reducer_->finalize(nullptr);
  expect_plan_order();
}

TEST_F(ReducerTest, BooksTheWaitAndTheCallbacks) {
  telemetry::Ledger ledger;
  reducer_->on_bucket_reduced([](std::int64_t, std::int64_t) {
    const double until = now_s() + 0.002;
    while (now_s() < until) {
    }
  });
  reducer_->begin_micro(true);
  loss().backward();
  reducer_->finalize(&ledger);
  const auto seconds = ledger.take();
  EXPECT_GE(seconds[static_cast<std::size_t>(telemetry::Bin::kOptimizer)], 0.008);
  EXPECT_GT(seconds[static_cast<std::size_t>(telemetry::Bin::kCommExposed)], 0.0);
}

TEST_F(ReducerTest, ASecondGradientInTheReducedPassIsAnErrorThatNamesTheParameter) {
  reducer_->begin_micro(true);
  loss().backward();
  try {
    loss().backward();
    FAIL() << "expected an error";
  } catch (const std::exception& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("layer3"));
  }
  EXPECT_THROW(reducer_->finalize(nullptr), Error);  // also when backward's caller looked away
}

TEST_F(ReducerTest, AGroupThatFailsInsideAHookFailsBackwardAndAbandonIssuesTheRest) {
  group_.fail_at = 1;
  reducer_->begin_micro(true);
  EXPECT_ANY_THROW(loss().backward());
  reducer_->abandon(kBadFlag);
  EXPECT_NO_THROW(reducer_->finalize(nullptr));
  expect_plan_order();
}

TEST_F(ReducerTest, AbandonZeroesWhatWasNotIssuedAndRaisesTheFlag) {
  reducer_->begin_micro(false);
  loss().backward();
  reducer_->abandon(kBadFlag);
  reducer_->finalize(nullptr);
  expect_plan_order();
  EXPECT_EQ(arena_->stats()[kBadFlag].item<float>(), 1.0F);
  EXPECT_EQ(arena_->gradients().abs().sum().item<float>(), 1.0F);
}

TEST_F(ReducerTest, AbandonAfterBackwardKeepsWhatWasIssuedAndRaisesTheFlag) {
  reducer_->begin_micro(true);
  loss().backward();
  const auto last = plan_.buckets.back().begin;
  const double issued = arena_->gradients().narrow(0, 0, last).abs().sum().item<double>();
  reducer_->abandon(kBadFlag);
  reducer_->finalize(nullptr);
  expect_plan_order();
  EXPECT_EQ(arena_->gradients().narrow(0, 0, last).abs().sum().item<double>(), issued);
  EXPECT_EQ(arena_->stats()[kBadFlag].item<float>(), 1.0F);
}

TEST_F(ReducerTest, AbandonBeforeAnyMicroBatchStillIssuesThePlan) {
  reducer_->abandon(kBadFlag);
  loss().backward();  // hooks of a step that is given up do nothing
  reducer_->finalize(nullptr);
  expect_plan_order();
  reducer_->begin_micro(true);
  loss().backward();
  reducer_->finalize(nullptr);
  EXPECT_EQ(group_.calls.size(), 2 * plan_.buckets.size());
}

// On a device the flag is read a step late: the failing rank issues one more step, flagged as well.
TEST_F(ReducerTest, AbandonWorksAgainInTheStepAfter) {
  reducer_->begin_micro(true);
  loss().backward();
  for (int step = 0; step < 2; ++step) {
    reducer_->abandon(kBadFlag);
    reducer_->finalize(nullptr);
    EXPECT_EQ(arena_->stats()[kBadFlag].item<float>(), 1.0F);
    arena_->gradients().zero_();  // as update() does
  }
  EXPECT_EQ(group_.calls.size(), 2 * plan_.buckets.size());
}

TEST_F(ReducerTest, NoticesGradientsThatWereTakenAway) {
  chain_.zero_grad();
  try {
    reducer_->begin_micro(true);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("layer0_weight"));
  }
}

TEST_F(ReducerTest, ShardedBucketsAreScatteredInOrderThenTheStatsThenTheParametersGathered) {
  reducer_ = std::make_unique<Reducer>(*world_, group_, *arena_, plan_, comm::DType::kF32, true);
  std::vector<std::int64_t> ends;
  reducer_->on_bucket_reduced([&](std::int64_t, std::int64_t end) { ends.push_back(end); });
  reducer_->begin_micro(true);
  loss().backward();
  EXPECT_EQ(group_.calls.size(), 3U);
  reducer_->finalize(nullptr);
  telemetry::Ledger ledger;
  reducer_->gather_parameters(&ledger);
  std::string verbs;
  for (const auto& call : group_.calls) verbs += call.verb;
  EXPECT_EQ(verbs, "ssssrgggg");
  EXPECT_THAT(group_.waited, testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_EQ(ends.back(), plan_.gradients_end) << "the stats belong to nobody's slice";
  EXPECT_EQ(group_.calls[4].buffer, arena_->stats().const_data_ptr<float>());
  for (std::size_t b = 0; b < 4; ++b) {
    EXPECT_EQ(group_.calls[5 + b].buffer,
              arena_->parameters().const_data_ptr<float>() + plan_.buckets[b].begin);
  }
  EXPECT_GT(ledger.take()[static_cast<std::size_t>(telemetry::Bin::kCommExposed)], 0.0);
  EXPECT_DOUBLE_EQ(reducer_->take_counters().comm_total_s, 9 * 0.5);
}

TEST_F(ReducerTest, NothingIsGatheredWithoutAShard) {
  reducer_->begin_micro(true);
  loss().backward();
  reducer_->finalize(nullptr);
  reducer_->gather_parameters(nullptr);
  expect_plan_order();
}

TEST_F(ReducerTest, GoesOnWithAnotherCut) {
  reducer_->begin_micro(true);
  loss().backward();
  reducer_->finalize(nullptr);
  group_.calls.clear();
  plan_ = merge_buckets(plan_, 1 << 20);
  ASSERT_EQ(plan_.buckets.size(), 2U);
  reducer_->recut(plan_);
  reducer_->begin_micro(true);
  loss().backward();
  EXPECT_EQ(group_.calls.size(), 1U) << "the last one waits for the stats";
  reducer_->finalize(nullptr);
  expect_plan_order();
}

TEST_F(ReducerTest, IsNotCutInTheMiddleOfAStep) {
  reducer_->begin_micro(true);
  EXPECT_THROW(reducer_->recut(plan_), Error);
  BucketPlan other = plan_;
  other.layout.offset[0] += 32;
  reducer_->abandon(kBadFlag);
  reducer_->finalize(nullptr);
  EXPECT_THROW(reducer_->recut(other), Error) << "parameters do not move";
}

TEST_F(ReducerTest, CallsOutOfOrderAreProgrammerErrors) {
  EXPECT_THROW(reducer_->finalize(nullptr), Error);
  reducer_->begin_micro(true);
  EXPECT_THROW(reducer_->begin_micro(true), Error);
}

TEST_F(ReducerTest, KeepsWhatBucketsMoveMappedForAsLongAsItLives) {
  EXPECT_THAT(group_.mapped, testing::ElementsAre(arena_->gradients().data_ptr()));
  reducer_.reset();
  EXPECT_TRUE(group_.mapped.empty());
  reducer_ = std::make_unique<Reducer>(
      *world_, group_, *arena_, plan_, comm::DType::kF32, /*sharded=*/true);
  EXPECT_THAT(
      group_.mapped,
      testing::ElementsAre(arena_->gradients().data_ptr(), arena_->parameters().data_ptr()));
  reducer_ = std::make_unique<Reducer>(*world_, group_, *arena_, plan_, comm::DType::kBF16);
  ASSERT_EQ(group_.mapped.size(), 1U);
  EXPECT_NE(group_.mapped[0], arena_->gradients().data_ptr()) << "the rounded values move";
  EXPECT_EQ(reducer_->bytes(), 6 * plan_.layout.total);
}

TEST_F(ReducerTest, LeavesNoHooksBehind) {
  reducer_->begin_micro(true);
  reducer_.reset();
  EXPECT_NO_THROW(loss().backward());
  EXPECT_TRUE(group_.calls.empty());
}

}  // namespace
}  // namespace lockstep::parallel
